//! Severity as people read it: the word and the score behind a CVSS vector
//! (3.1 section 5, 4.0 section 6).

use serde::Serialize;

use super::FormatError;

/// The words that tell readers to act, most severe first.
pub const WORDS: [&str; 4] = ["critical", "high", "medium", "low"];

/// One judged vector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rating {
    /// `CVSS 3.1`.
    pub system: String,
    /// OSV's `severity[].type`.
    pub osv_type: &'static str,
    /// One decimal: `7.5`.
    pub score: String,
    /// `none`, `low`, `medium`, `high` or `critical`.
    pub word: &'static str,
    /// The vector, metrics in the standard's order.
    pub vector: String,
}

/// Judges every vector. An unreadable one is refused by its place.
pub fn rate(vectors: &[String]) -> Result<Vec<Rating>, FormatError> {
    vectors.iter().enumerate().map(|(at, vector)| rate_one(at, vector)).collect()
}

/// The word of the most severe of several ratings, if any says more than `none`.
pub fn highest(ratings: &[Rating]) -> Option<&'static str> {
    WORDS.into_iter().find(|word| ratings.iter().any(|r| r.word == *word))
}

fn rate_one(at: usize, vector: &str) -> Result<Rating, FormatError> {
    let wrong = || {
        FormatError::field(
            format!("severity[{at}]"),
            "is not a CVSS vector of version 3.0, 3.1 or 4.0",
            "write it as CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        )
    };
    let parsed: cvss::Cvss = vector.trim().parse().map_err(|_| wrong())?;
    let (system, osv_type) = match &parsed {
        cvss::Cvss::CvssV30(_) => ("CVSS 3.0", "CVSS_V3"),
        cvss::Cvss::CvssV31(_) => ("CVSS 3.1", "CVSS_V3"),
        cvss::Cvss::CvssV40(_) => ("CVSS 4.0", "CVSS_V4"),
        _ => return Err(wrong()),
    };
    Ok(Rating {
        system: system.to_owned(),
        osv_type,
        score: format!("{:.1}", parsed.score()),
        word: parsed.severity().as_str(),
        vector: parsed.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_scores() {
        let rated = rate(&[
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H".into(),
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N".into(),
        ])
        .unwrap();
        let seen: Vec<_> = rated.iter().map(|r| (r.osv_type, r.score.as_str(), r.word)).collect();
        assert_eq!(seen, [("CVSS_V3", "7.5", "high"), ("CVSS_V4", "9.3", "critical")]);
    }

    #[test]
    fn the_highest_word_speaks_for_all() {
        let low = "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N".to_owned();
        let high = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H".to_owned();
        let none = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N".to_owned();
        assert_eq!(highest(&rate(&[low.clone(), high]).unwrap()), Some("high"));
        assert_eq!(highest(&rate(&[none, low]).unwrap()), Some("low"));
        assert_eq!(highest(&[]), None);
    }

    #[test]
    fn an_unreadable_vector_is_named_by_its_place() {
        let error = rate(&["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H".into(), "high".into()]);
        assert!(error.unwrap_err().to_string().starts_with("`severity[1]`"));
    }
}
