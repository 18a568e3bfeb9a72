//! What a challenge says: a random code and what to do with it. Its only variable is the code,
//! as a bell's are; that it is sealed shows who can open what is sealed to them.

use super::bell_text::Code;

/// The subject inside; the same for every challenge.
pub const SUBJECT: &str = "Please show that you can read this";

/// The text: ASCII, lines ended by line feeds.
pub fn text(code: Code) -> String {
    format!(
        "Hello,\n\nthis mail is sealed to the OpenPGP certificate that you registered with us.\n\
         Nothing has happened; we only want to know whether you can read what we\nmay have to \
         send you one day.\n\nPlease answer it, encrypted to us and signed, and leave this code \
         in:\n\n    {}\n\nIf you cannot answer with encryption, read the code to us by \
         telephone. Do\nnot answer in clear. If you did not register with us, ignore this mail.\n\n\
         This mail is sent by a machine and says nothing else on purpose.\n",
        code.spoken()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_code_differs() {
        let (one, two) = (text(Code::new([1; 8])), text(Code::new([0xff; 8])));
        assert!(one.is_ascii() && one.lines().all(|l| l.len() <= 76), "{one}");
        assert_eq!(one.replace("0101-0101-0101-0101", "ffff-ffff-ffff-ffff"), two);
    }
}
