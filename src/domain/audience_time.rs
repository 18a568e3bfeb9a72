//! Lengths of time as people read them.

use super::time::Span;

/// `+0.214 s`, `-3.000 s`.
pub fn offset(span: Span) -> String {
    let millis = span.as_millis();
    let sign = if millis < 0 { '-' } else { '+' };
    format!("{sign}{}.{:03} s", millis.abs() / 1000, millis.abs() % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written() {
        assert_eq!(offset(Span::millis(214)), "+0.214 s");
        assert_eq!(offset(Span::millis(-3000)), "-3.000 s");
    }
}
