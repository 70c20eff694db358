//! Hard links, devices and the like, and what stands in headers besides names and sizes.

use super::made::{listed, made, names, picked, refusal, unpacked};
use super::*;
use crate::model::downloaded::ListedKind;

#[test]
fn hard_links_are_made_in_chains_and_to_themselves() -> TestResult {
    let chain = Raw::default().file("a", b"x").hard_link("b", "a").hard_link("c/d", "./b").hard_link("e", "c//d");
    assert_eq!(made(chain)?, ["a=x", "b=x", "c/", "c/d=x", "e=x"]);
    assert_eq!(made(Raw::default().file("a", b"x").hard_link("a", "a").hard_link("./a", "a/."))?, ["a=x"]);
    let again = Raw::default().file("a", b"x").hard_link("b", "a").hard_link("b", "a").hard_link("a", "b");
    assert_eq!(made(again)?, ["a=x", "b=x"]);
    Ok(())
}

#[test]
fn a_hard_link_and_its_file_part_when_either_is_replaced() -> TestResult {
    let archive =
        Raw::default().file("a", b"1").hard_link("b", "a").file("a", b"2").hard_link("c", "a").file("c", b"3");
    assert_eq!(made(archive)?, ["a=2", "b=1", "c=3"]);
    Ok(())
}

#[test]
fn hard_links_to_nothing_are_refused() -> TestResult {
    for (target, archive) in [
        ("missing", Raw::default().hard_link("h", "missing")),
        ("h", Raw::default().hard_link("h", "h")),
        ("later", Raw::default().hard_link("h", "later").file("later", b"")),
        ("a/missing", Raw::default().hard_link("h", "a/missing")),
        ("h", Raw::default().hard_link("g", "h").hard_link("h", "g")),
    ] {
        let text = refusal(archive)?;
        assert!(text.contains(&format!("leads to {target}, which is not in the archive before it")), "{text}");
    }
    for target in ["", ".", "/", ".."] {
        let text = refusal(Raw::default().hard_link("h", target))?;
        assert!(text.contains("link h leads to"), "{target}: {text}");
    }
    Ok(())
}

#[test]
fn hard_links_to_links_and_folders_are_refused() -> TestResult {
    for archive in [
        Raw::default().link("l", "a").hard_link("h", "l"),
        Raw::default().file("a", b"").link("l", "a").hard_link("h", "l"),
        Raw::default().folder("a").hard_link("h", "a"),
        Raw::default().file("a/x", b"").link("l", "a").hard_link("h", "l/x"),
    ] {
        assert_eq!(refusal(archive)?, "the archive's entry h leads through a link or a file");
    }
    Ok(())
}

#[test]
fn devices_and_other_kinds_are_listed_and_refused_by_name() -> TestResult {
    for (kind, told) in [
        (b'3', "a device"),
        (b'4', "a device"),
        (b'6', "a fifo"),
        (b'V', "of a kind that smtrain does not know"),
        (b'M', "of a kind that smtrain does not know"),
        (b'D', "of a kind that smtrain does not know"),
        (b'\xff', "of a kind that smtrain does not know"),
    ] {
        let archive = || Raw::default().file("a", b"x").entry(EntryType::new(kind), "x/y", "", b"data").file("z", b"");
        assert_eq!(refusal(archive())?, format!("the archive's entry x/y is {told}, which is not unpacked"));
        let archive = archive().gz()?;
        let (all, result) = listed(&archive);
        assert!(result.is_ok() && all.len() == 3 && all[1].kind == ListedKind::Other, "{all:?}");
        assert!(matches!(picked(&archive, "x/y"), Err(UnpackError::NoFile(_))));
        assert_eq!(picked(&archive, "z")?, Some(Vec::new()));
    }
    Ok(())
}

#[test]
fn only_permissions_are_kept_of_a_mode_and_the_owner_can_always_use_it() -> TestResult {
    for (mode, file, folder) in [
        (0o7777, 0o777, 0o777),
        (0o4755, 0o755, 0o755),
        (0, 0o600, 0o700),
        (0o1000, 0o600, 0o700),
        (0o177_777, 0o777, 0o777),
        (u32::MAX >> 1, 0o777, 0o777),
    ] {
        let place = Place::new()?;
        let of_folder = |header: &mut Header| {
            header.set_entry_type(EntryType::Directory);
            header.set_mode(mode);
        };
        let archive =
            Raw::default().altered(b"d", b"", of_folder).altered(b"d/f", b"", |header| header.set_mode(mode)).gz()?;
        place.unpack(&archive)?;
        let mode_of = |name: &str| fs::metadata(place.root().join(name)).map(|file| file.mode() & 0o7777);
        assert_eq!((mode_of("d/f")?, mode_of("d")?), (file, folder), "{mode:o}");
        assert!(listed(&archive).0.iter().all(|listed| listed.mode == mode & 0o7777));
    }
    Ok(())
}

#[test]
fn a_mode_that_is_no_number_gives_nobody_else_a_permission() -> TestResult {
    for field in [*b"rwxr-xr-", [0; 8], [b' '; 8], [0xff; 8], *b"\x1b[2J\0\0\0\0", *b"-0000755"] {
        let place = Place::new()?;
        let archive = Raw::default().altered(b"f", b"x", |header| header.as_old_mut().mode = field).gz()?;
        place.unpack(&archive)?;
        let mode = fs::metadata(place.root().join("f"))?.mode() & 0o7777;
        assert!(mode == 0o600 || field[0] == 0xff, "{mode:o}");
        assert!(listed(&archive).1.is_ok());
    }
    Ok(())
}

#[test]
fn times_that_cannot_be_are_left_out() -> TestResult {
    for field in
        [*b"77777777777\0", [0xff; 12], [0x80; 12], [b'x'; 12], [0; 12], *b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"]
    {
        let alter = |header: &mut Header| header.as_old_mut().mtime = field;
        let of_folder = |header: &mut Header| {
            header.set_entry_type(EntryType::Directory);
            header.as_old_mut().mtime = field;
        };
        let archive = || Raw::default().altered(b"d", b"", of_folder).altered(b"d/f", b"x", alter);
        assert_eq!(made(archive())?, ["d/", "d/f=x"]);
        assert_eq!(names(archive())?, ["d", "d/f"]);
    }
    Ok(())
}

#[test]
fn owners_are_not_looked_at() -> TestResult {
    for field in [[0xff; 8], *b"garbage!", [0; 8]] {
        let alter = |header: &mut Header| (header.as_old_mut().uid, header.as_old_mut().gid) = (field, field);
        let archive =
            Raw::default().altered(b"f", b"x", alter).pax(&[("uid", b"-1"), ("gid", b"99999999999999999999")]);
        assert_eq!(made(archive.file("g", b"y"))?, ["f=x", "g=y"]);
    }
    Ok(())
}

#[test]
fn links_and_folders_with_data_are_passed_over_with_it() -> TestResult {
    let hidden = Raw::default().file("hidden", b"bad").tar;
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Directory] {
        let archive = || Raw::default().file("a", b"").entry(kind, "b", "a", &hidden).file("c", b"");
        assert!(made(archive())?.iter().all(|line| !line.contains("hidden")));
        assert_eq!(names(archive())?, ["a", "b", "c"]);
    }
    Ok(())
}

#[test]
fn contiguous_and_old_files_are_files() -> TestResult {
    let old = |header: &mut Header| header.as_old_mut().linkflag = [0];
    let archive = || Raw::default().entry(EntryType::Continuous, "a", "", b"x").altered(b"b", b"y", old);
    assert_eq!(made(archive())?, ["a=x", "b=y"]);
    assert!(listed(&archive().gz()?).0.iter().all(|listed| listed.kind == ListedKind::File));
    assert!(unpacked(&archive().gz()?)?.is_ok());
    Ok(())
}
