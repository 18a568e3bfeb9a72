//! Answers as distributors write them with real gpg, in the shapes of real mail programs.

use daybreak::casework::{distributors, find_distributor, inbound};
use daybreak::domain::deed::Actor;
use daybreak::domain::event::Happened;
use daybreak::domain::message::{MessageKind, Standing};
use daybreak::pgp::TeamKey;
use rstest::rstest;

use super::bounces::{VERP, told_with};
use super::{arrives, crlf, id_of, notice, notice_to, record, step_to, taken, words};
use crate::gpg::Gpg;
use crate::ground::Db;
use crate::whole_day::Told;

/// Somebody's own machine, the team's certificate known.
pub(super) struct Desk {
    gpg: Gpg,
    key: String,
    team: String,
}

impl Desk {
    pub(super) async fn of(told: &Told, key: &TeamKey) -> Option<Self> {
        let gpg = Gpg::at(told.town.house.now()).await?;
        gpg.import_secret(key).await;
        let team = told.town.team_certificate();
        gpg.import(team).await;
        let key = key.certificate.fingerprint().to_string();
        Some(Self { gpg, key, team: team.fingerprint().to_string() })
    }

    pub(super) async fn sealed(&self, text: &[u8]) -> String {
        let args = [
            "--armor",
            "--sign",
            "--local-user",
            &self.key,
            "--encrypt",
            "--recipient",
            &self.team,
        ];
        self.gpg.ok(&args, text).await.text()
    }

    async fn sealed_unsigned(&self, text: &[u8]) -> String {
        let args = ["--armor", "--encrypt", "--recipient", &self.team];
        self.gpg.ok(&args, text).await.text()
    }
}

/// RFC 3156 around an armored message; `more` are headers that stand outside.
pub(super) fn pgp_mime(from: &str, more: &str, armored: &str) -> Vec<u8> {
    crlf(&format!(
        "Received: from mx.example\nFrom: {from}\nTo: security@meadow.example\n\
         Subject: ...\nMessage-ID: <reply.{}@example>\n{more}MIME-Version: 1.0\n\
         Content-Type: multipart/encrypted;\n protocol=\"application/pgp-encrypted\";\n \
         boundary=\"------------x1\"\n\nThis is an OpenPGP/MIME encrypted message.\n\
         --------------x1\nContent-Type: application/pgp-encrypted\n\
         Content-Description: PGP/MIME version identification\n\nVersion: 1\n\n\
         --------------x1\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\n\
         Content-Description: OpenPGP encrypted message\n\
         Content-Disposition: inline; filename=\"encrypted.asc\"\n\n{armored}\n\
         --------------x1--\n",
        armored.len()
    ))
}

/// What Thunderbird puts inside: copies of the headers, then the text.
pub(super) fn thunderbird(answers: &str, text: &str) -> Vec<u8> {
    crlf(&format!(
        "Content-Type: multipart/mixed; boundary=\"------------in\";\n protected-headers=\"v1\"\n\
         From: somebody\nTo: security@meadow.example\nSubject: Re: the real subject\n\
         References: <{answers}>\nIn-Reply-To: <{answers}>\n\n\
         --------------in\nContent-Type: text/plain; charset=UTF-8; format=flowed\n\
         Content-Transfer-Encoding: base64\n\n{}\n\
         --------------in\nContent-Type: text/x-patch; name=\"mine.patch\"\n\
         Content-Disposition: attachment; filename=\"mine.patch\"\n\n--- a\n+++ b\n\
         --------------in--\n",
        base64(text)
    ))
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn verified(standing: &Standing) -> &str {
    match standing {
        Standing::Verified { name, .. } => name,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case(Db::Sqlite)]
#[case(Db::Postgres)]
#[tokio::test]
async fn encrypted_answers_are_opened_filed_and_believed_by_their_signature(#[case] db: Db) {
    let Some(told) = Told::of(db).await else { return };
    let (town, people) = (&told.town, &told.town.people);
    let fennel = &people.distributors[0];
    let Some(desk) = Desk::of(&told, &fennel.keys[0]).await else { return };
    let answers = id_of(notice_to(&told, fennel.address));

    // Thunderbird's shape: what is answered stands inside.
    let inside = thunderbird(&answers, "We have it, thank you. Grüße");
    let armored = desk.sealed(&inside).await;
    let mail = pgp_mime(fennel.address, "", &armored);
    let reply = taken(town, &mail).await;
    assert_eq!(reply.happened, Some("acknowledged"));
    assert_eq!(reply.message.disclosure, Some(told.disclosure.id));
    let kept = record(&reply.message);
    assert_eq!(kept.kind, MessageKind::Encrypted);
    assert_eq!(
        (kept.subject.as_str(), kept.text.as_str()),
        ("Re: the real subject", "We have it, thank you. Grüße")
    );
    assert_eq!(kept.enclosed[0].name, "mine.patch");
    assert!(verified(&kept.standing).contains("Fennel OS"));
    let whole = inbound::bytes(&town.house, &reply.message, false).await.unwrap();
    assert_eq!(whole, inside);
    let by = fennel.keys[0].certificate.fingerprint().to_string();
    assert!(
        matches!(&words(&told, fennel.address).await[..], [Happened::Acknowledged { by: b, .. }] if *b == by)
    );
    // Twice, and once more in another wrapping.
    for mail in [mail, pgp_mime("other@example", "X: y\n", &armored)] {
        let again = arrives(town, &mail, None).await.unwrap();
        assert!(again.known && again.message.id == reply.message.id);
    }
    assert_eq!(words(&told, fennel.address).await.len(), 1);

    // mutt's shape: what is answered stands outside only, where anybody could have written it: a
    // hint, filed by its signer and believed by nobody. RSA this time.
    let larch = &people.distributors[3];
    let theirs = Desk::of(&told, &larch.keys[0]).await.unwrap();
    let armored = theirs.sealed(&crlf("Content-Type: text/plain; charset=us-ascii\n\nok\n")).await;
    let outside = format!("In-Reply-To: <{}>\n", id_of(notice_to(&told, larch.address)));
    let reply = taken(town, &pgp_mime(larch.address, &outside, &armored)).await;
    assert_eq!((reply.happened, reply.message.disclosure), (None, Some(told.disclosure.id)));
    let step = step_to(&notice(&told).await.plan, larch.address);
    assert_eq!((record(&reply.message).step, record(&reply.message).hint), (None, Some(step)));
    assert!(words(&told, larch.address).await.is_empty());

    // gpg by hand, pasted into a mail that answers nothing: filed where its signer was told.
    let armored = desk.sealed(b"one more question\n").await;
    let pasted = format!("From: {}\nTo: x@y\nSubject: hello\n\n{armored}", fennel.address);
    let reply = taken(town, &crlf(&pasted)).await;
    assert_eq!((reply.message.disclosure, reply.happened), (Some(told.disclosure.id), None));
    assert_eq!(record(&reply.message).text, "one more question\n");

    // As Exchange mangles it: mixed, with an empty text before it.
    let armored = desk.sealed(&thunderbird(&answers, "through exchange")).await;
    let mangled = format!(
        "From: {}\nSubject: Re: [...]\nContent-Type: multipart/mixed; boundary=m\n\n--m\n\
         Content-Type: text/plain; charset=utf-8\n\n\n--m\n\
         Content-Type: application/pgp-encrypted; name=\"PGPMIME version identification\"\n\
         Content-Transfer-Encoding: base64\n\n{}\n--m\n\
         Content-Type: application/octet-stream; name=encrypted.asc\n\
         Content-Transfer-Encoding: base64\n\n{}\n--m--\n",
        fennel.address,
        base64("Version: 1\n"),
        base64(&armored)
    );
    let reply = taken(town, &crlf(&mangled)).await;
    assert_eq!(record(&reply.message).text, "through exchange");

    // Signed first, encrypted around it (RFC 3156 section 6.1).
    let part =
        crlf(&format!("Content-Type: text/plain\nIn-Reply-To: <{answers}>\n\nsigned inside\n"));
    let args = ["--armor", "--detach-sign", "--local-user", &desk.key];
    let signature = desk.gpg.ok(&args, &part).await.text();
    let signed = format!(
        "Content-Type: multipart/signed; micalg=pgp-sha512; boundary=s;\n \
         protocol=\"application/pgp-signature\"\n\n--s\n{}\n--s\n\
         Content-Type: application/pgp-signature; name=signature.asc\n\n{signature}\n--s--\n",
        String::from_utf8(part).unwrap()
    );
    let altered = signed.replace("signed inside", "altered after");
    let reply = pgp_mime(fennel.address, "", &desk.sealed_unsigned(&crlf(&signed)).await);
    assert_eq!(taken(town, &reply).await.happened, Some("acknowledged"));
    let reply = pgp_mime(fennel.address, "", &desk.sealed_unsigned(&crlf(&altered)).await);
    let reply = taken(town, &reply).await;
    assert_eq!((&record(&reply.message).standing, reply.happened), (&Standing::BadSignature, None));
}

/// What left in public, signed, is wrapped by somebody else: the wrapping names a delivery.
#[tokio::test]
async fn what_a_mail_answers_is_said_by_what_was_signed() {
    let told = Told::of(Db::Sqlite).await.unwrap();
    let fennel = told.town.people.distributors[0].clone();
    let Some(desk) = Desk::of(&told, &fennel.keys[0]).await else { return };
    let stranger = Desk::of(&told, &told.town.people.stranger).await.unwrap();
    let answers = id_of(notice_to(&told, fennel.address));
    let part = crlf("Content-Type: text/plain\n\nthanks, all\n");
    let args = ["--armor", "--detach-sign", "--local-user", &desk.key];
    let signature = desk.gpg.ok(&args, &part).await.text();
    let wrapped = format!(
        "Content-Type: multipart/signed; micalg=pgp-sha512; boundary=s;\n \
         protocol=\"application/pgp-signature\"\nIn-Reply-To: <{answers}>\n\n--s\n{}\n--s\n\
         Content-Type: application/pgp-signature; name=signature.asc\n\n{signature}\n--s--\n",
        String::from_utf8(part).unwrap()
    );
    let outside = format!("In-Reply-To: <{answers}>\n");
    let wrapped = stranger.sealed_unsigned(&crlf(&wrapped)).await;
    let reply = taken(&told.town, &pgp_mime(fennel.address, &outside, &wrapped)).await;
    assert!(verified(&record(&reply.message).standing).contains("Fennel OS"));
    assert_eq!((reply.happened, record(&reply.message).step), (None, None));
    assert!(record(&reply.message).hint.is_some());
    assert!(words(&told, fennel.address).await.is_empty());

    // Not opened, so nothing of it is known: the same hint, and no case.
    let ada = &told.town.people.ada.key.certificate;
    stranger.gpg.import(ada).await;
    let to = ada.fingerprint().to_string();
    let armored = stranger.gpg.ok(&["--armor", "--encrypt", "--recipient", &to], b"x").await.text();
    let kept = taken(&told.town, &pgp_mime(fennel.address, &outside, &armored)).await;
    assert_eq!(record(&kept.message).kind, MessageKind::Unopened);
    assert_eq!((kept.message.disclosure, record(&kept.message).step), (None, None));
    assert!(record(&kept.message).hint.is_some());
}

/// Some programs answer to the envelope's sender, which was in one mail only.
#[tokio::test]
async fn the_sender_token_counts_with_its_own_recipients_signature() {
    let told = told_with(Db::Sqlite, VERP).await.unwrap();
    let people = &told.town.people;
    let (fennel, tarn) = (&people.distributors[0], &people.distributors[2]);
    let Some(desk) = Desk::of(&told, &fennel.keys[0]).await else { return };
    let other = Desk::of(&told, &tarn.keys[0]).await.unwrap();
    let token = Some(notice_to(&told, fennel.address).from.clone());
    let text = crlf("Content-Type: text/plain; charset=us-ascii\n\nok\n");
    let by_other = pgp_mime(fennel.address, "", &other.sealed(&text).await);
    let theirs = pgp_mime(fennel.address, "", &desk.sealed(&text).await);
    let reply = arrives(&told.town, &by_other, token.as_deref()).await.unwrap();
    assert_eq!((reply.happened, record(&reply.message).step), (None, None));
    let reply = arrives(&told.town, &theirs, token.as_deref()).await.unwrap();
    assert_eq!(reply.happened, Some("acknowledged"));
    assert!(words(&told, tarn.address).await.is_empty());
}

#[tokio::test]
async fn nobody_acknowledges_for_another() {
    let told = Told::of(Db::Sqlite).await.unwrap();
    let (town, people) = (&told.town, &told.town.people);
    let fennel = &people.distributors[0];
    let answers = id_of(notice_to(&told, fennel.address));
    let Some(stranger) = Desk::of(&told, &people.stranger).await else { return };

    // A stranger, and nobody: kept with the case, believed by nobody.
    let text = thunderbird(&answers, "trust me");
    let by_stranger = pgp_mime(fennel.address, "", &stranger.sealed(&text).await);
    let by_nobody = pgp_mime(fennel.address, "", &stranger.sealed_unsigned(&text).await);
    for (mail, standing) in [(by_stranger, Standing::Stranger), (by_nobody, Standing::Unsigned)] {
        let reply = taken(town, &mail).await;
        assert_eq!(record(&reply.message).standing, standing);
        assert_eq!((reply.happened, reply.proofs), (None, 0));
        assert_eq!(reply.message.disclosure, Some(told.disclosure.id));
    }
    // Another contact: known, but this was not its delivery.
    let tarn = Desk::of(&told, &people.distributors[2].keys[0]).await.unwrap();
    let reply = taken(town, &pgp_mime("psirt@tarn.example", "", &tarn.sealed(&text).await)).await;
    assert!(verified(&record(&reply.message).standing).contains("Tarn Cloud"));
    assert_eq!(reply.happened, None);
    assert!(words(&told, fennel.address).await.is_empty());

    // A reporter acknowledges as a distributor does.
    let reporter = &people.reporter;
    let desk = Desk::of(&told, &reporter.keys[0]).await.unwrap();
    let text = thunderbird(&id_of(notice_to(&told, reporter.address)), "fine with me");
    let reply = taken(town, &pgp_mime(reporter.address, "", &desk.sealed(&text).await)).await;
    assert_eq!((reply.happened, reply.proofs), (Some("acknowledged"), 0));

    // A list's members sign with their own keys, which must be known for it.
    let sedge = &people.distributors[6];
    let text = thunderbird(&id_of(notice_to(&told, sedge.address)), "from a member");
    let reply =
        taken(town, &pgp_mime("member@sedge.example", "", &stranger.sealed(&text).await)).await;
    assert_eq!((&record(&reply.message).standing, reply.happened), (&Standing::Stranger, None));
    let found = find_distributor(&town.house, sedge.name).await.unwrap();
    let certificate = people.stranger.certificate.to_bytes();
    let operator = Actor::Operator;
    distributors::add_reply_certificate(&town.house, operator, &found, sedge.address, &certificate)
        .await
        .unwrap();
    let reply =
        taken(town, &pgp_mime("member@sedge.example", "", &stranger.sealed(&text).await)).await;
    assert_eq!((reply.happened, reply.proofs), (Some("acknowledged"), 0));

    // Not for us: kept closed, for whoever of the team can open it.
    let ada = &people.ada.key.certificate;
    stranger.gpg.import(ada).await;
    let to = ada.fingerprint().to_string();
    let args = ["--armor", "--encrypt", "--recipient", &to];
    let armored = stranger.gpg.ok(&args, b"for Ada alone").await.text();
    let mail = pgp_mime("x@example", "", &armored);
    let kept = taken(town, &mail).await;
    assert_eq!(record(&kept.message).kind, MessageKind::Unopened);
    assert_eq!(inbound::bytes(&town.house, &kept.message, false).await.unwrap(), mail);
}

#[tokio::test]
async fn an_answer_in_clear_rings_without_a_word_of_it() {
    const WORDS: &str = "the overflow in the archive reader";
    let told = Told::of(Db::Sqlite).await.unwrap();
    let (town, people) = (&told.town, &told.town.people);
    let fennel = &people.distributors[0];
    let answers = id_of(notice_to(&told, fennel.address));
    let mail = |from: &str, more: &str, subject: &str| {
        crlf(&format!(
            "From: {from}\nTo: security@meadow.example\nSubject: {subject}\n{more}\n\
             About {WORDS}:\n> quoted\n"
        ))
    };
    let before = town.catcher.mails().len();
    let automatic = mail(
        "a@b.example",
        &format!("In-Reply-To: <{answers}>\nAuto-Submitted: auto-replied\n"),
        "away",
    );
    let unrelated = mail("a@b.example", "", "A bug report");
    for (mail, kind) in [(automatic, MessageKind::Automatic), (unrelated, MessageKind::Clear)] {
        let kept = taken(town, &mail).await;
        assert_eq!((record(&kept.message).kind, kept.alarm), (kind, None));
    }
    assert_eq!(town.catcher.mails().len(), before, "nothing leaves for these");

    let in_reply = mail("x@elsewhere.example", &format!("In-Reply-To: <{answers}>\n"), "Re: x");
    let from_list = mail(fennel.address, "", "a question");
    let by_subject = mail("y@elsewhere.example", "", "Re: [...]");
    for (n, plain) in [in_reply, from_list, by_subject].into_iter().enumerate() {
        let kept = taken(town, &plain).await;
        assert_eq!((record(&kept.message).kind, kept.alarm), (MessageKind::PlainReply, Some(true)));
        assert_eq!(kept.happened, None);
        assert!(record(&kept.message).text.contains(WORDS));
        let mails = town.catcher.mails();
        assert_eq!(mails.len(), before + n + 1);
        let bell = mails.last().unwrap();
        let text = String::from_utf8(bell.bytes.clone()).unwrap();
        assert_eq!(bell.to, ["security@meadow.example"]);
        assert!(text.contains("plain-text-reply") && !text.contains("overflow"), "{text}");
        assert!(!text.contains("elsewhere") && !text.contains(&answers), "{text}");
    }
    // On disk it is sealed.
    for entry in std::fs::read_dir(town.dir()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(WORDS.len()).any(|w| w == WORDS.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}
