//! gzip and zip containers whose bytes depend on nothing but their contents: stored, not
//! compressed, without times. (RFC 1952, RFC 1951 section 3.2.4; PKWARE APPNOTE 6.3.)

/// A container cannot hold it: a file is larger than 4 GiB or a name longer than 64 KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a file is too large to be packed")]
pub struct TooLarge;

impl From<std::num::TryFromIntError> for TooLarge {
    fn from(_: std::num::TryFromIntError) -> Self {
        Self
    }
}

/// CRC-32 as both containers want it (RFC 1952 section 8).
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// `bytes` as a gzip member of stored blocks.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>, TooLarge> {
    // Magic, deflate, no flags, no time, no hint, unknown system.
    let mut out = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    if blocks.peek().is_none() {
        out.extend([1, 0, 0, 255, 255]);
    }
    while let Some(block) = blocks.next() {
        let len = u16::try_from(block.len())?;
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(len.to_le_bytes());
        out.extend((!len).to_le_bytes());
        out.extend(block);
    }
    out.extend(crc32(bytes).to_le_bytes());
    out.extend(u32::try_from(bytes.len())?.to_le_bytes());
    Ok(out)
}

/// Midnight of 1980-01-01, the first instant a zip knows: time, then date.
const NO_TIME: [u8; 4] = [0, 0, 0x21, 0];

/// A zip archive of stored files, in the given order.
pub fn zip(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, TooLarge> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let offset = u32::try_from(out.len())?;
        // Needs version 2.0, UTF-8 names (bit 11), stored.
        let mut about = vec![20, 0, 0, 8, 0, 0];
        about.extend(NO_TIME);
        about.extend(crc32(bytes).to_le_bytes());
        about.extend(u32::try_from(bytes.len())?.to_le_bytes());
        about.extend(u32::try_from(bytes.len())?.to_le_bytes());
        about.extend(u16::try_from(name.len())?.to_le_bytes());
        about.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&about);
        out.extend(name.as_bytes());
        out.extend(bytes);
        // Made by version 2.0 on Unix; no comment, first disk, a regular file with mode 0644.
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&about);
        directory.extend([0; 6]);
        directory.extend((0o100_644_u32 << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = u16::try_from(files.len())?.to_le_bytes();
    let begin = u32::try_from(out.len())?.to_le_bytes();
    let len = u32::try_from(directory.len())?.to_le_bytes();
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.iter().chain(&count).chain(&len).chain(&begin));
    out.extend([0, 0]);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_known_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
