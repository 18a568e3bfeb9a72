//! What a cover mail says: that it is one, and that nothing has happened. Its only variable is
//! the code of a challenge, which nobody needs to send back.

use super::bell_text::Code;

/// The subject inside; the same for every cover mail.
pub const SUBJECT: &str = "Cover mail: nothing has happened";

/// The text: ASCII, lines ended by line feeds.
pub fn text(code: Code) -> String {
    format!(
        "Hello,\n\nthis is a cover mail; you asked for one a month. From outside it looks\n\
         like every sealed mail of ours and has the same size, so that a mail from\nus alone \
         tells nobody that something is coming. It carries nothing, and\nnothing has happened.\n\n\
         You need not do anything. If you like, show that you can read us: answer\nit, \
         encrypted to us and signed, and leave this code in:\n\n    {}\n\nDo not answer in \
         clear. Tell us when you want no more of these mails; if\nyou never asked for them, \
         ignore this one.\n\n\
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
