//! What stands around a tar: gzip's headers, its members and its checksums.

use super::made::{listed, picked, unpacked};
use super::*;
use crate::archive::check;

const FTEXT: u8 = 1;
const FHCRC: u8 = 2;
const FEXTRA: u8 = 4;
const FNAME: u8 = 8;
const FCOMMENT: u8 = 16;

/// One gzip member whose header has these flags and fields.
fn member(flags: u8, fields: &[u8], data: &[u8]) -> io::Result<Vec<u8>> {
    let plain = gzip(data)?;
    let header = [&[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255][..], fields].concat();
    let crc = if flags & FHCRC == 0 { Vec::new() } else { crc16(&header).to_le_bytes().to_vec() };
    Ok([&header, &crc[..], &plain[10..]].concat())
}

/// The lower half of gzip's checksum.
fn crc16(bytes: &[u8]) -> u16 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes().first_chunk().copied().map_or(0, u16::from_le_bytes)
}

fn tar() -> Vec<u8> {
    let mut raw = Raw::default().file("a", b"x");
    raw.tar.extend_from_slice(&[0; 1024]);
    raw.tar
}

#[test]
fn headers_of_every_form_are_read() -> TestResult {
    let extra = [&300_u16.to_le_bytes()[..], &[7; 300]].concat();
    let all = [&extra[..], b"../name\0\x1b[2Jcomment\0"].concat();
    for (flags, fields) in [
        (FTEXT, &b""[..]),
        (FEXTRA, &extra),
        (FEXTRA, b"\0\0"),
        (FNAME, b"\0"),
        (FNAME, b"../../outside/file\0"),
        (FCOMMENT, b"any\nthing\xff\0"),
        (FHCRC, b""),
        (FEXTRA | FNAME | FCOMMENT | FHCRC, &all),
    ] {
        let archive = member(flags, fields, &tar())?;
        assert_eq!(unpacked(&archive)??, ["a=x"], "{flags}");
        assert_eq!((listed(&archive).0.len(), picked(&archive, "a")?), (1, Some(b"x".to_vec())), "{flags}");
        assert!(check(io::Cursor::new(archive)).is_ok(), "{flags}");
    }
    Ok(())
}

#[test]
fn headers_that_are_none_are_refused() -> TestResult {
    let mut wrong_checksum = member(FHCRC, b"", &tar())?;
    wrong_checksum[10] ^= 1;
    let mut other_method = member(0, b"", &tar())?;
    other_method[2] = 7;
    for (what, archive) in [
        ("a wrong checksum", wrong_checksum),
        ("another method", other_method),
        ("no end of the name", member(FNAME, &vec![b'n'; 1 << 20], b"")?),
        (
            "fields longer than the file",
            [&[0x1f, 0x8b, 8, FEXTRA, 0, 0, 0, 0, 0, 255, 0xff, 0xff][..], b"short"].concat(),
        ),
    ] {
        assert!(matches!(unpacked(&archive)?, Err(UnpackError::Damaged { .. })), "{what}");
        assert!(matches!(listed(&archive).1, Err(UnpackError::Damaged { .. })), "{what}");
        assert!(check(io::Cursor::new(archive)).is_err(), "{what}");
    }
    Ok(())
}

#[test]
fn empty_members_are_nothing() -> TestResult {
    let empty = gzip(b"")?;
    let (first, second) = (gzip(&tar()[..700])?, gzip(&tar()[700..])?);
    let archive = [&empty[..], &empty, &first, &empty.repeat(1000), &second, &empty].concat();
    assert_eq!(unpacked(&archive)??, ["a=x"]);
    assert!(matches!(unpacked(&empty.repeat(3))?, Err(UnpackError::Damaged { .. })), "no bytes are no archive");
    Ok(())
}

#[test]
fn a_damaged_member_is_an_error_wherever_it_stands() -> TestResult {
    let members = [gzip(&tar()[..600])?, gzip(b"")?, gzip(&tar()[600..])?];
    for damaged in 0..members.len() {
        for from_end in [1, 8] {
            let mut members = members.clone();
            let at = members[damaged].len() - from_end;
            members[damaged][at] ^= 1;
            let archive = members.concat();
            assert!(matches!(unpacked(&archive)?, Err(UnpackError::Damaged { .. })), "{damaged}, {from_end}");
            assert!(matches!(listed(&archive).1, Err(UnpackError::Damaged { .. })), "{damaged}, {from_end}");
        }
    }
    Ok(())
}

#[test]
fn what_follows_the_last_member_is_an_error_and_no_entry() -> TestResult {
    let other_tar = Raw::default().file("b", b"y").tar;
    let padding_and_garbage = [vec![0; 300_000], b"x".to_vec()].concat();
    for (garbage, is_member) in [
        (&b"garbage"[..], false),
        (&padding_and_garbage, false),
        (&other_tar, false),
        (b"\x1f\x8b", true),
        (b"\x1f", true),
    ] {
        let archive = [&gzip(&tar())?, garbage].concat();
        for result in [unpacked(&archive)?.map(drop), listed(&archive).1, check(io::Cursor::new(archive))] {
            match result {
                Err(UnpackError::Damaged { .. }) if is_member => {}
                Err(UnpackError::TrailingData) if !is_member => {}
                other => return Err(format!("{} bytes: {other:?}", garbage.len()).into()),
            }
        }
    }
    // A second archive behind the first one's end is not seen as part of it.
    let two = [gzip(&tar())?, gzip(&other_tar)?].concat();
    assert!(matches!(unpacked(&two)?, Err(UnpackError::TrailingData)));
    Ok(())
}

#[test]
fn zeros_after_the_last_member_are_padding() -> TestResult {
    for zeros in [1, 512, 300_000] {
        let archive = [gzip(&tar())?, vec![0; zeros]].concat();
        assert_eq!(unpacked(&archive)??, ["a=x"], "{zeros}");
        assert!(listed(&archive).1.is_ok() && check(io::Cursor::new(archive)).is_ok(), "{zeros}");
    }
    Ok(())
}

#[test]
fn a_plain_tar_is_read_and_another_format_named() -> TestResult {
    for tar in [tar(), [&tar()[..], &[0; 8192]].concat()] {
        assert_eq!(unpacked(&tar)??, ["a=x"]);
        assert_eq!(picked(&tar, "a")?, Some(b"x".to_vec()));
        assert!(check(io::Cursor::new(tar)).is_ok());
    }
    for other in
        [&b"PK\x03\x04 and so on"[..], b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"<!DOCTYPE html>", &[0; 10240]]
    {
        assert!(matches!(unpacked(other)?, Err(UnpackError::OtherFormat(_))));
        assert!(matches!(check(io::Cursor::new(other.to_vec())), Err(UnpackError::OtherFormat(_))));
    }
    // A header whose checksum is wrong is none, and a block of zeros has no checksum.
    let mut damaged = tar();
    damaged[0] ^= 1;
    // A plain tar has no checksum: cut between two files, it has no end.
    let cut = tar()[..1024].to_vec();
    for unknown in [damaged, cut, b"text".to_vec(), Vec::new()] {
        assert!(matches!(unpacked(&unknown)?, Err(UnpackError::Damaged { .. })));
    }
    Ok(())
}

/// The bytes are passed on before the checksum is read, which comes at the end.
#[test]
fn what_follows_the_picked_file_is_checked() -> TestResult {
    let mut damaged = gzip(&tar())?;
    let crc = damaged.len() - 8;
    damaged[crc] ^= 1;
    assert!(matches!(picked(&damaged, "a"), Err(UnpackError::Damaged { .. })));
    let archive = [gzip(&tar())?, b"garbage".to_vec()].concat();
    assert!(matches!(picked(&archive, "a"), Err(UnpackError::TrailingData)));
    assert!(matches!(picked(&archive, "b"), Err(UnpackError::TrailingData)));
    Ok(())
}
