//! Tests of `entity`: the promises that the file above makes.

use super::*;
use crate::domain::blob::{DATE_BLANK, fill};
use crate::domain::news::News;
use crate::domain::view::{AdvisoryView, Audience, NoticeView};
use crate::formats::sample::{PATCH, advisory, hostile, notice};
use crate::formats::templates::Templates;
use crate::letters::notice as make;
use mail_parser::{MessageParser, MimeHeaders as _};

const BOUNDARY: &str = "0123456789abcdef0123456789abcdef";

fn delivery<'a>() -> Delivery<'a> {
    Delivery {
        from: "security@meadow.example",
        to: "team@distro.example",
        subject: "Meadow security notice MDW-7F3A: Große Lücke",
        clear_subject: "[...]",
        message_id: "00112233445566778899aabbccddeeff@meadow.example",
        references: &[],
        date: At::parse_rfc3339("2026-11-24T15:00:00Z").unwrap(),
    }
}

fn grouped(view: &NoticeView) -> Group {
    make::group(&Templates::load(None).unwrap(), view, &News::First, false, BOUNDARY).unwrap()
}

fn with(advisory: AdvisoryView) -> NoticeView {
    NoticeView { advisories: vec![advisory], ..notice(Audience::Distributor) }
}

#[test]
fn readers_find_subject_text_patch_record_and_sums() {
    let group = grouped(&notice(Audience::Distributor));
    let entity = compose(&group.body, &delivery()).unwrap();
    let read = MessageParser::default().parse(&entity).unwrap();
    assert_eq!(read.subject(), Some(delivery().subject));
    assert_eq!(read.content_type().unwrap().attribute("hp"), Some("cipher"));
    assert_eq!(read.content_type().unwrap().attribute("protected-headers"), Some("v1"));
    assert!(read.body_text(0).unwrap().starts_with("EMBARGOED until 2026-12-01 15:00:00 UTC"));
    let names: Vec<_> = read.attachments().map(|a| a.attachment_name().unwrap()).collect();
    assert_eq!(names, ["meadow-main.patch", "notice.json", "SHA256SUMS"]);
    assert_eq!(read.attachment(0).unwrap().contents(), PATCH.as_bytes());
    let record: serde_json::Value =
        serde_json::from_slice(read.attachment(1).unwrap().contents()).unwrap();
    assert_eq!(record["embargoed"], true);
    assert_eq!(record["disclosure_at"], "2026-12-01T15:00:00Z");
    assert!(record["advisories"][0].get("modified").is_none());
    let sums = String::from_utf8(read.attachment(2).unwrap().contents().to_vec()).unwrap();
    let line = format!("{}  meadow-main.patch\n", Sha256::of(PATCH.as_bytes()));
    assert!(sums.starts_with(&line), "{sums}");
}

#[test]
fn every_outer_field_has_its_copy_and_its_hp_outer_line() {
    let entity = compose(&grouped(&notice(Audience::Distributor)).body, &delivery()).unwrap();
    let text = String::from_utf8_lossy(&entity).into_owned();
    let header = text.split("\r\n\r\n").next().unwrap();
    for wanted in [
        "From: security@meadow.example\r\n",
        "To: team@distro.example\r\n",
        "Date: Tue, 24 Nov 2026 15:00:00 +0000\r\n",
        "Message-ID: <00112233445566778899aabbccddeeff@meadow.example>\r\n",
        "HP-Outer: From: security@meadow.example\r\n",
        "HP-Outer: To: team@distro.example\r\n",
        "HP-Outer: Date: Tue, 24 Nov 2026 15:00:00 +0000\r\n",
        "HP-Outer: Subject: [...]\r\n",
        "HP-Outer: Message-ID:",
        "HP-Outer: Auto-Submitted: auto-generated\r\n",
    ] {
        assert!(header.contains(wanted), "{wanted} is missing in {header}");
    }
    assert!(!header.contains("MIME-Version"));
}

#[test]
fn the_size_is_a_bucket_and_lines_end_as_mail_does() {
    for extra in [0, 1, 40_000, 100_000, 600_000] {
        let mut view = notice(Audience::Distributor);
        view.patches[0].bytes = vec![b'x'; extra];
        view.patches[0].sha256 = Sha256::of(&view.patches[0].bytes).to_string();
        let group = grouped(&view);
        for to in ["a@b.example", "a-much-longer-address-of-a-role@security.distro.example"] {
            let entity = compose(&group.body, &Delivery { to, ..delivery() }).unwrap();
            assert_eq!(entity.len(), group.bucket);
            assert!(BUCKETS.contains(&entity.len()));
            assert!(entity.ends_with(b"\r\n"));
            let text = String::from_utf8(entity).unwrap();
            assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
        }
    }
}

#[test]
fn every_padding_ends_a_line() {
    for count in 2..400 {
        let mut padded = Vec::new();
        pad(&mut padded, count);
        assert_eq!(padded.len(), count);
        assert!(padded.ends_with(b"\r\n"), "{count}");
    }
}

#[test]
fn too_much_is_refused_with_its_size() {
    let huge = Attachment {
        file_name: "a.patch".into(),
        media_type: "text/x-patch",
        bytes: vec![b'x'; 7 << 20],
    };
    let error = group("text", &[huge], BOUNDARY).err().unwrap();
    assert!(matches!(error, LetterError::TooLarge { limit, .. } if limit == 8 << 20), "{error}");
}

#[test]
fn the_same_input_gives_the_same_bytes_and_dates_are_the_only_slots() {
    let view = notice(Audience::Distributor);
    let body = grouped(&view).body;
    assert!(body == grouped(&view).body);
    let mut blank = compose(&body, &Delivery { date: At::from_secs(0), ..delivery() }).unwrap();
    let slots = slots_of(&blank);
    assert_eq!(slots.len(), 2);
    for slot in &slots {
        assert_eq!(&blank[slot.offset..slot.offset + slot.len], DATE_BLANK.as_bytes());
    }
    fill(&mut blank, &slots, delivery().date).unwrap();
    assert!(blank == compose(&body, &delivery()).unwrap());
}

#[test]
fn a_reporters_group_holds_no_patch() {
    let body = grouped(&notice(Audience::Reporter)).body;
    let read = MessageParser::default().parse(&body).unwrap();
    let names: Vec<_> = read.attachments().map(|a| a.attachment_name().unwrap()).collect();
    assert_eq!(names, ["notice.json", "SHA256SUMS"]);
    let record = String::from_utf8(read.attachment(0).unwrap().contents().to_vec()).unwrap();
    assert!(!record.contains("meadow-main.patch"), "{record}");
}

#[test]
fn different_advisories_give_equal_sizes() {
    let mut other = advisory();
    other.title = "Short".into();
    other.description = "x".repeat(9_000);
    assert_eq!(grouped(&with(advisory())).bucket, grouped(&with(other)).bucket);
    assert_eq!(grouped(&with(advisory())).bucket, grouped(&with(hostile())).bucket);
}

#[test]
fn names_that_are_no_file_names_are_refused() {
    for bad in ["../x", ".x", "", "a b", "a\"; x=\"", "sha256sums", "a\r\nb"] {
        let it = Attachment { file_name: bad.into(), media_type: "text/x-patch", bytes: vec![] };
        assert!(group("text", &[it], BOUNDARY).is_err(), "{bad:?}");
    }
}

#[test]
fn a_patch_with_a_wrong_digest_stops_the_group() {
    let mut view = notice(Audience::Distributor);
    view.patches[0].bytes.push(b'!');
    let error = make::group(&Templates::load(None).unwrap(), &view, &News::First, false, BOUNDARY)
        .err()
        .unwrap();
    assert!(error.to_string().contains("patches[0].sha256"), "{error}");
}

/// What a distributor types, on what a mail program saves.
#[tokio::test]
async fn sha256sum_accepts_the_saved_attachments() {
    use crate::clock::SystemClock;
    use crate::exec::Process;
    let entity = compose(&grouped(&notice(Audience::Distributor)).body, &delivery()).unwrap();
    let read = MessageParser::default().parse(&entity).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for part in read.attachments() {
        std::fs::write(folder.path().join(part.attachment_name().unwrap()), part.contents())
            .unwrap();
    }
    let check = Process::new("sha256sum").args(["-c", "SHA256SUMS"]).folder(folder.path());
    let Ok(out) = check.run(&SystemClock::new()).await else {
        eprintln!("not run: no sha256sum");
        return;
    };
    assert!(out.ok(), "{}", out.complaint());
    assert_eq!(out.text(), "meadow-main.patch: OK\nnotice.json: OK\n");
}

#[test]
fn earlier_mails_are_named_inside_and_nowhere_else() {
    let group = grouped(&notice(Audience::Distributor));
    let ids: Vec<String> = (0..20).map(|n| format!("{n:032x}@meadow.example")).collect();
    for count in [0_usize, 1, 2, 12, 13, 20] {
        let delivery = Delivery { references: &ids[..count], ..delivery() };
        let entity = compose(&group.body, &delivery).unwrap();
        let read = MessageParser::default().parse(&entity).unwrap();
        let named = |v: &mail_parser::HeaderValue<'_>| match v {
            mail_parser::HeaderValue::Text(one) => vec![one.to_string()],
            mail_parser::HeaderValue::TextList(all) => {
                all.iter().map(ToString::to_string).collect()
            }
            _ => vec![],
        };
        let last: Vec<String> = ids[..count].last().cloned().into_iter().collect();
        assert_eq!(named(read.in_reply_to()), last);
        let references = named(read.references());
        assert_eq!(references.len(), count.min(12));
        assert_eq!(references.first(), ids[..count].first());
        assert_eq!(references.last(), ids[..count].last());
        assert_eq!(entity.len(), group.bucket, "the size says nothing of it");
        // Nothing outside speaks of them.
        let armor = b"-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n";
        let outside = crate::letters::wire::sealed(&delivery, armor, BOUNDARY).unwrap();
        let outside = String::from_utf8(outside).unwrap();
        assert!(!outside.contains("References") && !outside.contains("In-Reply-To"));
        assert!(ids.iter().all(|id| !outside.contains(id.as_str())));
    }
    for bad in ["no-address", "a@b>\r\nBcc: <x@y", "a b@c"] {
        let references = [bad.to_owned()];
        assert!(compose(&group.body, &Delivery { references: &references, ..delivery() }).is_err());
    }
}

#[test]
fn a_shared_entity_is_whole_padded_and_names_no_delivery() {
    let group = grouped(&notice(Audience::Distributor));
    let whole = shared(&group.body, "security@meadow.example", "The real one").unwrap();
    assert!(is_shared(&whole) && !is_shared(&group.body));
    assert_eq!(whole.len(), group.bucket);
    assert!(compose(&whole, &delivery()).unwrap() == whole);
    let text = String::from_utf8_lossy(&whole);
    let header = text.split("\r\n\r\n").next().unwrap();
    let names: Vec<_> = header.lines().filter_map(|l| l.split_once(": ")).map(|l| l.0).collect();
    assert_eq!(names[..3], ["From", "Subject", "HP-Outer"]);
    for personal in ["To: ", "Date: ", "Message-ID: "] {
        assert!(!header.contains(personal), "{header}");
    }
    assert!(header.contains("hp=\"cipher\""));
    assert!(shared(&group.body, "a@b\r\nBcc: x@y", "s").is_err());
}
