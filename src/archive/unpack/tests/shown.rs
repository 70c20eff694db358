//! What an archive says about itself is shown to people: its names must not steer their terminal.

use super::made::{LIMITS, listed, unpacked, whole_text};
use super::*;
use crate::archive::pick;
use crate::model::printable;
use crate::view::download::listed as line;

/// Clears the screen, sets the title, rings, erases a character, begins a sequence in one byte, and breaks the line.
const HOSTILE: &str = "\x1b[2J\x1b]0;title\x07\x08\r\u{9b}31m\x7f\n\tx";

fn is_harmless(text: &str) -> bool {
    !text.contains('\n') && printable(text) == text
}

/// Archives that are refused, each for another reason, with such a name in the reason.
fn refused_ones() -> Vec<Raw> {
    let name = HOSTILE;
    let outside = format!("../{name}");
    let long = name.repeat(20);
    vec![
        Raw::default().file(&outside, b""),
        Raw::default().file(name, b"").folder(name),
        Raw::default().entry(EntryType::Fifo, name, "", b""),
        Raw::default().hard_link(name, &outside),
        Raw::default().hard_link(name, name),
        Raw::default().file(&format!("{name}/"), b"lost"),
        Raw::default().pax(&[("path", long.as_bytes())]).file("x", b""),
        Raw::default().pax(&[("path", [name.as_bytes(), b"\0"].concat().as_slice())]).file("x", b""),
        Raw::default().pax(&[("GNU.sparse.major", b"1")]).file(name, b""),
        Raw::default().pax(&[("size", name.as_bytes())]).file(name, b""),
        Raw::default().pax(&[(name, b"")]).pax(&[(name, b"")]).file(name, b""),
        Raw::default()
            .file(name, b"")
            .altered(name.as_bytes(), b"", |header| header.as_old_mut().size = *b"\x1b[2J\x1b[2J\x1b[2J"),
        Raw { tar: Raw::default().file(name, &[7; 1000]).tar[..1000].to_vec() },
        Raw { tar: [&Raw::default().file(name, b"").tar, HOSTILE.as_bytes(), &[0; 512]].concat() },
    ]
}

#[test]
fn no_error_steers_the_terminal() -> TestResult {
    for (index, archive) in refused_ones().into_iter().enumerate() {
        let archive = gzip(&archive.tar)?;
        let error = unpacked(&archive)?.err().ok_or(format!("number {index} was unpacked"))?;
        assert!(is_harmless(&whole_text(&error)), "{index}: {error:?}");
        if let Err(error) = listed(&archive).1 {
            assert!(is_harmless(&whole_text(&error)), "{index}: {error:?}");
        }
    }
    Ok(())
}

#[test]
fn nor_does_what_is_left_out_or_not_picked() -> TestResult {
    let archive = Raw::default().link(HOSTILE, &format!("../../{HOSTILE}")).file("a", b"").gz()?;
    let left_out = Place::new()?.unpack(&archive)?.left_out;
    assert!(left_out.len() == 1 && is_harmless(&left_out[0]), "{left_out:?}");
    let error =
        pick(io::Cursor::new(archive), &LIMITS, Path::new(HOSTILE), &mut io::sink()).err().ok_or("it was picked")?;
    assert!(is_harmless(&whole_text(&error)), "{error:?}");
    Ok(())
}

#[test]
fn nor_does_a_line_of_the_list() -> TestResult {
    let archive = Raw::default()
        .file(HOSTILE, b"x")
        .folder(HOSTILE)
        .link(HOSTILE, HOSTILE)
        .hard_link(HOSTILE, HOSTILE)
        .entry(EntryType::Char, HOSTILE, "", b"")
        .altered(b"\xff\x1b[2J\xc2\x9b", b"", |_| ())
        .gz()?;
    let (all, result) = listed(&archive);
    result?;
    assert_eq!(all.len(), 6);
    for listed in &all {
        assert!(is_harmless(&line(listed)), "{listed:?}");
    }
    Ok(())
}
