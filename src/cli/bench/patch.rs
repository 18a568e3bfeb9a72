//! A body that looks like a patch and is the same in every run, made while it is read.

use std::io::Read;

/// Reads as `left` bytes of patch.
pub struct Patch {
    left: usize,
    line: Vec<u8>,
    nth: u64,
}

impl Patch {
    pub const fn new(size: u32) -> Self {
        Self { left: size as usize, line: Vec::new(), nth: 0 }
    }

    /// The next line: numbers from a small generator, so that it is not all the same.
    fn next_line(&mut self) {
        self.nth = self.nth.wrapping_add(1);
        let mixed = self.nth.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let sign = if mixed.is_multiple_of(3) { '-' } else { '+' };
        self.line = format!("{sign}    buffer[{}] = parse(&input, {mixed:x});\n", self.nth).into();
        self.line.reverse();
    }
}

impl Read for Patch {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let mut written = 0;
        for byte in into.iter_mut().take(self.left) {
            if self.line.is_empty() {
                self.next_line();
            }
            *byte = self.line.pop().unwrap_or(b'\n');
            written += 1;
        }
        self.left -= written;
        Ok(written)
    }
}

/// The whole body.
pub fn bytes(size: u32) -> Vec<u8> {
    let mut all = Vec::with_capacity(size as usize);
    // Reading from memory cannot fail.
    let _whole = Patch::new(size).read_to_end(&mut all);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_long_as_asked_and_repeats() {
        assert_eq!(bytes(20_000).len(), 20_000);
        assert!(bytes(999) == bytes(20_000)[..999]);
    }
}
