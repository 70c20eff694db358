//! Names that no file can have, or that lead elsewhere, in every place where an archive keeps a name.

use super::made::{LIMITS, listed, made, names, picked, refusal, tree, unpacked};
use super::*;
use crate::archive::list;

/// An archive with one file, once for each place where its name can stand.
fn everywhere(name: &str) -> Vec<Raw> {
    let (first, last) = name.split_once('/').unwrap_or(("", name));
    let mut ustar = Raw::default();
    ustar.push(ustar_header(first, last).as_bytes(), b"bad");
    let long = Raw::default().long_name(name.as_bytes()).file("harmless", b"bad");
    let pax = Raw::default().pax(&[("path", name.as_bytes())]).file("harmless", b"bad");
    vec![Raw::default().file(name, b"bad"), ustar, long, pax]
}

fn ustar_header(prefix: &str, name: &str) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_mtime(1_700_000_000);
    header.set_size(3);
    if let Some(ustar) = header.as_ustar_mut() {
        ustar.prefix[..prefix.len()].copy_from_slice(prefix.as_bytes());
        ustar.name[..name.len()].copy_from_slice(name.as_bytes());
    }
    header.set_cksum();
    header
}

#[test]
fn names_that_lead_out_are_refused_wherever_they_stand() -> TestResult {
    for name in ["a/../../outside/file", "../outside/file", "..", "a/.."] {
        for archive in everywhere(name) {
            assert_eq!(refusal(archive)?, format!("the archive's entry {name} would be written outside the folder"));
        }
    }
    for archive in [
        Raw::default().long_name(b"/tmp/smtrain-must-not-exist").file("harmless", b"bad"),
        Raw::default().pax(&[("path", b"/tmp/smtrain-must-not-exist")]).file("harmless", b"bad"),
        Raw::default().folder("/tmp/smtrain-must-not-exist"),
        Raw::default().link("/tmp/smtrain-must-not-exist", "a"),
        Raw::default().folder(".."),
        Raw::default().link("..", "a"),
        Raw::default().file("a", b"").hard_link("../h", "a"),
    ] {
        assert!(matches!(refused(archive)?, UnpackError::Outside(_)));
    }
    assert!(!Path::new("/tmp/smtrain-must-not-exist").exists());
    Ok(())
}

#[test]
fn names_that_lead_out_are_listed_and_never_picked() -> TestResult {
    for name in ["../outside/file", "/etc/passwd"] {
        let archive = Raw::default().file(name, b"bad").gz()?;
        assert_eq!(listed(&archive).0.len(), 1);
        for wanted in [name, "..", "/", "outside/file", "etc/passwd"] {
            assert_eq!(picked(&archive, wanted)?, None, "{wanted} of {name}");
        }
    }
    Ok(())
}

#[test]
fn targets_that_lead_out_are_left_out_wherever_they_stand() -> TestResult {
    for target in ["../outside", "/etc/passwd", "a/../../outside"] {
        for archive in [
            Raw::default().long_link(target.as_bytes()).link("l", "harmless"),
            Raw::default().pax(&[("linkpath", target.as_bytes())]).link("l", "harmless"),
        ] {
            assert_eq!(made(archive)?, Vec::<String>::new(), "{target}");
        }
        for archive in [
            Raw::default().file("harmless", b"").long_link(target.as_bytes()).hard_link("h", "harmless"),
            Raw::default().file("harmless", b"").pax(&[("linkpath", target.as_bytes())]).hard_link("h", "harmless"),
        ] {
            let expected = format!("the archive's hard link h leads to {target}, outside the folder");
            assert_eq!(refusal(archive)?, expected);
        }
    }
    Ok(())
}

#[test]
fn names_of_nothing_are_refused_for_files_and_are_the_folder_itself_for_folders() -> TestResult {
    for name in ["", ".", "./.", "./"] {
        assert_eq!(made(Raw::default().folder(name).file("a", b"x"))?, ["a=x"], "{name}");
        for link in [Raw::default().link(name, "a"), Raw::default().file("a", b"").hard_link(name, "a")] {
            assert!(refusal(link)?.contains("that no file can have"), "{name}");
        }
    }
    for name in ["", ".", "./."] {
        assert!(refusal(Raw::default().file(name, b"bad"))?.contains("that no file can have"), "{name}");
    }
    for archive in [Raw::default().pax(&[("path", b"./.")]), Raw::default().long_name(b"")] {
        assert!(refusal(archive.file("a", b"bad"))?.contains("that no file can have"));
    }
    for slashes in ["/", "//", "///", "/./"] {
        for archive in [Raw::default().file(slashes, b""), Raw::default().folder(slashes)] {
            assert!(matches!(refused(archive)?, UnpackError::Outside(_)), "{slashes}");
        }
    }
    // An empty value in a pax header says that there is none.
    assert_eq!(made(Raw::default().pax(&[("path", b"")]).file("a", b"x"))?, ["a=x"]);
    Ok(())
}

#[test]
fn a_slash_at_the_end_makes_a_folder_unless_data_would_be_lost() -> TestResult {
    assert_eq!(made(Raw::default().file("a/", b"").file("a/b//", b""))?, ["a/", "a/b/"]);
    let with_data = Raw::default().file("a/", b"lost").gz()?;
    assert!(matches!(unpacked(&with_data)?, Err(UnpackError::Unsupported { entry, .. }) if entry == "a/"));
    assert!(matches!(picked(&with_data, "a"), Err(UnpackError::NoFile(_))));
    assert_eq!(made(Raw::default().link("l/", "a").file("a", b"x").hard_link("h/", "a"))?, ["a=x", "h=x", "l -> a"]);
    Ok(())
}

#[test]
fn names_that_are_too_long_are_refused_in_few_words() -> TestResult {
    let longest_part = "p".repeat(255);
    assert_eq!(made(Raw::default().long_name(longest_part.as_bytes()).file("a", b"x"))?, [format!("{longest_part}=x")]);
    let parts_too_long = ["p".repeat(256), format!("a/{}/b", "p".repeat(300))];
    let wholes_too_long = ["a/".repeat(1 << 15) + "a", "a/".repeat(1 << 20), "n".repeat(3 << 20)];
    for name in parts_too_long.iter().chain(&wholes_too_long) {
        for archive in [
            Raw::default().long_name(name.as_bytes()).file("a", b"x"),
            Raw::default().pax(&[("path", name.as_bytes())]).folder("a"),
            Raw::default().pax(&[("path", name.as_bytes())]).link("a", "b"),
        ] {
            let text = refusal(archive)?;
            let start = format!("the archive's entry {}", &name[..100]);
            assert!(text.starts_with(&start) && text.contains("that no file can have") && text.len() < 500, "{text}");
        }
    }
    let target = "t".repeat(5000);
    let text = refusal(Raw::default().long_link(target.as_bytes()).link("l", ""))?;
    assert!(text.contains("entry l has") && text.len() < 500, "{text}");
    Ok(())
}

#[test]
fn the_longest_name_that_can_be_is_unpacked_and_listed() -> TestResult {
    let name = "ab/".repeat(1364) + "xyz";
    assert_eq!(name.len(), 4095);
    let archive = Raw::default().long_name(name.as_bytes()).file("a", b"x");
    let (place, archive) = (Place::new()?, archive.gz()?);
    // Its folders count.
    assert!(matches!(place.unpack(&archive), Err(UnpackError::TooMany(1000))));
    let limits = UnpackLimits { entries: 1366, ..UnpackLimits::default() };
    assert_eq!(unpack(io::Cursor::new(archive.clone()), &place.root(), &limits, &mut ())?.files, 1);
    assert_eq!(picked(&archive, &name)?, Some(b"x".to_vec()));
    Ok(())
}

#[test]
fn a_name_with_nul_is_none_or_ends_there() -> TestResult {
    let pax = Raw::default().pax(&[("path", b"a\0/../../outside/file")]).file("b", b"bad");
    let text = refusal(pax)?;
    assert!(text.starts_with("the archive's entry a\u{fffd}/../../outside/file has"), "{text}");
    // GNU tar's long names end where a C string would.
    assert_eq!(made(Raw::default().long_name(b"a\0\0b").file("c", b"x"))?, ["a=x"]);
    let target = Raw::default().pax(&[("linkpath", b"a\0b")]).link("l", "a");
    assert!(refusal(target)?.contains("entry l has"));
    Ok(())
}

#[test]
fn any_other_bytes_are_a_name() -> TestResult {
    let odd: [&[u8]; 6] = [b"\xff\xfe", b"a\nb", b"\x1b[2Jx", b" ", b"a\\b", b"C:\\x"];
    for name in odd.into_iter().filter(|name| cfg!(target_os = "linux") || name.is_ascii()) {
        let expected = [format!("{}=x", name.escape_ascii())];
        assert_eq!(made(Raw::default().altered(name, b"x", |_| ()))?, expected);
        assert_eq!(made(Raw::default().long_name(name).file("a", b"x"))?, expected);
        assert_eq!(made(Raw::default().pax(&[("path", name)]).file("a", b"x"))?, expected);
        assert_eq!(names(Raw::default().altered(name, b"x", |_| ()))?.len(), 1);
    }
    Ok(())
}

#[test]
fn of_two_entries_with_one_name_the_later_one_stays() -> TestResult {
    let archive = Raw::default()
        .file("a", b"1")
        .file("./a", b"2")
        .file("b//c", b"3")
        .hard_link("d", "b/c")
        .file("b/./c", b"4")
        .link("a", "d")
        .folder("b/")
        .folder("b");
    assert_eq!(made(archive)?, ["a -> d", "b/", "b/c=4", "d=3"]);
    let twice = Raw::default().file("a", b"1").file("a", b"2").gz()?;
    assert_eq!((listed(&twice).0.len(), picked(&twice, "./a")?), (2, Some(b"1".to_vec())));
    Ok(())
}

/// Elsewhere two such names may be one, which is refused.
#[cfg(target_os = "linux")]
#[test]
fn names_that_differ_in_case_are_two_where_the_file_system_says_so() -> TestResult {
    let archive =
        Raw::default().file("Model", b"1").file("model", b"2").link("MODEL", "model").hard_link("moDel", "Model");
    assert_eq!(made(archive)?, ["MODEL -> model", "Model=1", "moDel=1", "model=2"]);
    Ok(())
}

#[test]
fn a_file_in_the_place_of_a_folder_is_refused_and_so_is_the_reverse() -> TestResult {
    for (archive, named) in [
        (Raw::default().folder("a").file("a", b"bad"), "a"),
        (Raw::default().file("a", b"").folder("a/"), "a"),
        (Raw::default().file("a", b"").file("a/", b""), "a"),
        (Raw::default().file("a", b"").folder("a/b"), "a/b"),
        (Raw::default().file("a", b"").link("a/l", "b"), "a/l"),
        (Raw::default().file("a", b"").hard_link("a/h", "a"), "a/h"),
        (Raw::default().file("a", b"").folder("d").hard_link("d", "a"), "d"),
        (Raw::default().folder("d").hard_link("h", "d"), "h"),
        (Raw::default().link("l", "a").folder("l/b"), "l/b"),
    ] {
        assert_eq!(refusal(archive)?, format!("the archive's entry {named} leads through a link or a file"));
    }
    Ok(())
}

#[test]
fn what_was_unpacked_before_an_error_stays_inside() -> TestResult {
    let place = Place::new()?;
    let archive = Raw::default().file("a", b"x").link("l", "a").file("../outside/file", b"bad").file("b", b"").gz()?;
    assert!(place.unpack(&archive).is_err());
    assert_eq!(tree(&place.root())?, ["a=x", "l -> a"]);
    let mut told = 0;
    let result = list(io::Cursor::new(archive), &LIMITS, &mut |_| {
        told += 1;
        if told < 3 { Ok(()) } else { Err(io::Error::other("enough")) }
    });
    assert!(matches!(result, Err(UnpackError::Output(_))) && told == 3);
    Ok(())
}
