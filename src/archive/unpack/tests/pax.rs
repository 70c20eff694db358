//! Pax headers: what overrides an entry's name, target and size, and what is no such header.

use super::made::{listed, made, names, record, refusal, unpacked};
use super::*;

const DAMAGED: &str = "the archive is damaged or cut short after before";

fn after_one(records: &[u8]) -> Raw {
    Raw::default().file("before", b"1").about(EntryType::XHeader, records).file("x", b"data")
}

#[test]
fn a_size_in_a_pax_header_is_the_size() -> TestResult {
    let zero = |header: &mut Header| header.set_size(0);
    let archive = || Raw::default().pax(&[("size", b"700")]).altered(b"big", &[b'x'; 700], zero).file("after", b"y");
    assert_eq!(made(archive())?, ["after=y".to_owned(), format!("big={}", "x".repeat(700))]);
    assert_eq!(listed(&archive().gz()?).0[0].size, 700);
    // It is not that of the headers in between.
    let between = Raw::default().pax(&[("size", b"3")]).long_name(b"long").altered(b"x", b"abc", zero);
    assert_eq!(made(between)?, ["long=abc"]);
    Ok(())
}

#[test]
fn a_size_that_hides_entries_from_other_readers_is_the_one_that_counts() -> TestResult {
    let hidden = Raw::default().file("hidden", b"bad").tar;
    let shown = Raw::default().pax(&[("size", b"1024")]).altered(b"x", &hidden, |header| header.set_size(0));
    assert_eq!(names(shown)?, ["x"]);
    let shorter = Raw::default().pax(&[("size", b"0")]).file("x", &hidden);
    assert_eq!(names(shorter)?, ["x", "hidden"]);
    Ok(())
}

#[test]
fn sizes_that_are_none_are_refused() -> TestResult {
    for size in
        ["-1", "+4", "4.0", "0x4", "four", " 4", "4 ", "99999999999999999999", "18446744073709551615", "4\0", "\x1b[2J"]
    {
        let archive = || after_one(&record("size", size.as_bytes()));
        let text = refusal(archive())?;
        assert!(text.starts_with(DAMAGED) && !text.contains('\x1b'), "{size}: {text}");
        assert!(matches!(listed(&archive().gz()?), (all, Err(_)) if all.len() == 1), "{size}");
    }
    assert!(matches!(
        unpacked(&after_one(&record("size", b"9223372036854775807")).gz()?)?,
        Err(UnpackError::TooLarge(_))
    ));
    assert_eq!(made(after_one(&record("size", b"")))?, ["before=1", "x=data"]);
    Ok(())
}

#[test]
fn of_two_records_with_one_key_the_later_one_counts() -> TestResult {
    let twice = Raw::default().pax(&[("path", b"../first"), ("path", b"second"), ("size", b"9"), ("size", b"4")]);
    assert_eq!(made(twice.file("x", b"data"))?, ["second=data"]);
    let hostile = Raw::default().pax(&[("path", b"first"), ("path", b"../second")]).file("x", b"bad");
    assert!(matches!(refused(hostile)?, UnpackError::Outside(name) if name == "../second"));
    Ok(())
}

#[test]
fn values_may_be_any_bytes_and_hide_no_record() -> TestResult {
    let value = [&b"\n\n\0\xff= "[..], &record("path", b"../outside/file"), &record("size", b"1"), b"\n"].concat();
    let archive = Raw::default().pax(&[("SCHILY.xattr.user.x", &value), ("path", b"line\nfeed\n"), ("size", b"4")]);
    assert_eq!(made(archive.file("x", b"data"))?, ["line\\nfeed\\n=data"]);
    let sparse = Raw::default().pax(&[("comment", b"\n\n"), ("GNU.sparse.major", b"1")]).file("x", b"data");
    assert!(matches!(refused(sparse)?, UnpackError::Unsupported { .. }));
    Ok(())
}

#[test]
fn records_that_are_none_are_refused() -> TestResult {
    for records in [
        &b"garbage"[..],
        b"\n",
        b" path=a\n",
        b"9 path=ab\n",
        b"12 path=ab\n",
        b"10 path=abc",
        b"99999999999999999999999 path=a\n",
        b"18446744073709551615 path=a\n",
        b"-9 path=a\n",
        b"0 path=a\n",
        b"3 \n",
        b"7 path\n",
        b"9 path=a\n\n",
        b"9 path=a\n9 path=",
        b"\xff\xfe",
    ] {
        assert!(refusal(after_one(records))?.starts_with(DAMAGED), "{}", records.escape_ascii());
    }
    // None at all, or nothing but padding behind them, is no harm.
    assert_eq!(made(after_one(b""))?, ["before=1", "x=data"]);
    assert_eq!(made(after_one(b"9 path=y\n\0\0\0"))?, ["before=1", "y=data"]);
    Ok(())
}

#[test]
fn times_and_owners_and_what_nobody_knows_are_not_looked_at() -> TestResult {
    for (key, value) in [
        ("mtime", &b"garbage"[..]),
        ("mtime", b"-1e999"),
        ("atime", b"99999999999999999999999999.9"),
        ("uid", b"-1"),
        ("gname", b"\x1b[2J"),
        ("hdrcharset", b"BINARY"),
        ("", b""),
        ("SCHILY.fflags", &[0xff; 10_000]),
    ] {
        assert_eq!(made(Raw::default().pax(&[(key, value)]).file("x", b"data"))?, ["x=data"], "{key}");
    }
    Ok(())
}

#[test]
fn sparse_files_in_pax_form_are_refused_by_name() -> TestResult {
    for records in [
        &[
            ("GNU.sparse.major", &b"1"[..]),
            ("GNU.sparse.name", b"sparse"),
            ("GNU.sparse.realsize", b"9"),
            ("path", b"./GNUSparseFile.7/sparse"),
        ][..],
        &[
            ("GNU.sparse.size", b"99999999999999"),
            ("GNU.sparse.numblocks", b"1"),
            ("GNU.sparse.map", b"0,4"),
            ("path", b"sparse"),
        ],
        &[
            ("GNU.sparse.size", b"4"),
            ("GNU.sparse.numblocks", b"1"),
            ("GNU.sparse.offset", b"0"),
            ("GNU.sparse.numbytes", b"4"),
        ],
    ] {
        let archive = || Raw::default().pax(records).file("sparse", b"1\n0\n4\n");
        assert_eq!(
            refusal(archive())?,
            "the archive's entry sparse is a sparse file in pax form, which is not unpacked"
        );
        assert!(matches!(listed(&archive().gz()?).1, Err(UnpackError::Unsupported { .. })));
    }
    Ok(())
}

#[test]
fn headers_for_all_entries_may_not_name_or_measure_them() -> TestResult {
    let global = |records: &[u8]| {
        Raw::default().file("before", b"1").about(EntryType::XGlobalHeader, records).file("x", b"data")
    };
    let harmless = [record("comment", b"a commit"), record("mtime", b"1"), record("hdrcharset", b"BINARY")].concat();
    assert_eq!(made(global(&harmless))?, ["before=1", "x=data"]);
    assert_eq!(names(global(&harmless))?, ["before", "x"]);
    for records in [
        record("path", b"y"),
        record("path", b"../outside/file"),
        record("linkpath", b"/etc"),
        record("size", b"0"),
        record("GNU.sparse.major", b"1"),
        b"garbage".to_vec(),
    ] {
        assert!(refusal(global(&records))?.starts_with(DAMAGED), "{}", records.escape_ascii());
    }
    Ok(())
}

#[test]
fn what_describes_an_entry_comes_once_and_an_entry_follows() -> TestResult {
    let kinds =
        [(EntryType::XHeader, &b"9 path=y\n"[..]), (EntryType::GNULongName, b"y\0"), (EntryType::GNULongLink, b"y\0")];
    for (kind, data) in kinds {
        let twice = Raw::default().file("before", b"1").about(kind, data).about(kind, data).file("x", b"");
        assert!(refusal(twice)?.starts_with(DAMAGED), "{kind:?}");
        let last = Raw::default().file("before", b"1").about(kind, data);
        assert!(refusal(last)?.starts_with(DAMAGED), "{kind:?}");
        let short = Raw::default().file("before", b"1").altered(b"", b"", |header| {
            header.set_entry_type(kind);
            header.set_size(5000);
        });
        assert!(refusal(short)?.starts_with(DAMAGED), "{kind:?}");
        let huge = Raw::default().file("before", b"1").altered(b"", b"", |header| {
            header.set_entry_type(kind);
            header.set_size(u64::MAX >> 2);
        });
        assert!(refusal(huge)?.starts_with(DAMAGED), "{kind:?}");
    }
    // All of them together describe one.
    let all = kinds.into_iter().fold(Raw::default(), |raw, (kind, data)| raw.about(kind, data));
    assert_eq!(made(all.link("x", ""))?, ["y -> y"]);
    Ok(())
}

#[test]
fn a_name_in_both_forms_is_the_long_one() -> TestResult {
    let both = Raw::default().pax(&[("path", b"../pax")]).long_name(b"long").file("x", b"data");
    assert_eq!(made(both)?, ["long=data"]);
    let hostile = Raw::default().pax(&[("path", b"pax")]).long_name(b"../long").file("x", b"bad");
    assert!(matches!(refused(hostile)?, UnpackError::Outside(_)));
    Ok(())
}
