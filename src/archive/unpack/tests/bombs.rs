//! Archives that are far larger than they look: in bytes, in entries, in what describes them.

use super::made::{in_time, listed, picked, unpacked};
use super::*;
use crate::archive::list;

const MANY: usize = 300_000;
/// Of this process at most, when it unpacks or lists that many entries: kB.
const MEMORY: u64 = 100_000;
const ALONE: &str = "SMTRAIN_TEST_ALONE";

/// Gzip of as much as is asked for, from members that are all the same.
fn repeated(part: &[u8], times: usize) -> io::Result<Vec<u8>> {
    Ok(gzip(part)?.repeat(times))
}

#[test]
fn much_more_than_the_limit_is_refused_soon() -> TestResult {
    // 16 GB of zeros; nobody inflates more than the 6 MB that are allowed.
    let claimed = gzip(header(EntryType::Regular, "zeros", "", 16 << 30).as_bytes())?;
    let bomb = [claimed, repeated(&vec![0; 16 << 20], 1024)?].concat();
    let (unpacked, listed, picked) =
        in_time(move || (Place::new().map(|place| place.unpack(&bomb)), listed(&bomb), picked(&bomb, "zeros")))?;
    assert!(matches!(unpacked?, Err(UnpackError::TooLarge(_))));
    assert!(matches!(listed, (all, Err(UnpackError::TooLarge(_))) if all.len() == 1));
    assert!(matches!(picked, Err(UnpackError::TooLarge(_))));
    Ok(())
}

#[test]
fn an_archive_in_an_archive_is_a_file() -> TestResult {
    let inner = gzip(&vec![0; 5 << 20])?;
    let outer = Raw::default().file("inner.tar.gz", &inner).gz()?;
    let place = Place::new()?;
    assert_eq!(place.unpack(&outer)?, Unpacked { files: 1, bytes: inner.len() as u64, ..Unpacked::default() });
    // Twice compressed is no archive.
    assert!(matches!(unpacked(&gzip(&outer)?)?, Err(UnpackError::Damaged { .. })));
    Ok(())
}

#[test]
fn many_files_are_refused_at_the_limit_of_all_their_bytes() -> TestResult {
    let many = (0..20).fold(Raw::default(), |raw, number| raw.file(&number.to_string(), &vec![0; 400 << 10])).gz()?;
    assert!(matches!(unpacked(&many)?, Err(UnpackError::TooLarge(_))));
    Ok(())
}

#[test]
fn what_describes_entries_is_limited_for_each_of_them() -> TestResult {
    let padding = repeated(&Raw::default().about(EntryType::XGlobalHeader, b"13 comment=a\n").tar, 5000)?;
    let end = Raw::default().file("a", b"x").gz()?;
    let endless = [padding, end].concat();
    let (result, listing) = in_time(move || (Place::new().map(|place| place.unpack(&endless)), listed(&endless)))?;
    assert!(matches!(result?, Err(UnpackError::Damaged { place, .. }) if place == "at its start"));
    assert!(matches!(listing, (all, Err(UnpackError::Damaged { .. })) if all.is_empty()));
    // What is allowed to one of them is not taken from the next.
    let one = Raw::default().pax(&[("comment", &vec![b'x'; 3 << 20])]).file("a", b"x");
    assert!(unpacked(&one.pax(&[("comment", &vec![b'x'; 2 << 20])]).file("b", b"x").gz()?)?.is_ok());
    Ok(())
}

#[test]
fn zeros_behind_the_end_are_limited() -> TestResult {
    let followed =
        |zeros: usize| io::Result::Ok([Raw::default().file("a", b"x").gz()?, gzip(&vec![0; zeros])?].concat());
    assert!(unpacked(&followed(1 << 20)?)?.is_ok());
    assert!(matches!(unpacked(&followed(5 << 20)?)?, Err(UnpackError::Damaged { place, .. }) if place == "at its end"));
    Ok(())
}

/// Entries without a byte of data, over a thousand names, in members that are all the same.
fn many() -> io::Result<(Vec<u8>, UnpackLimits)> {
    let part = (0..1000).fold(Raw::default(), |raw, number| match number % 3 {
        0 => raw.folder(&format!("d{number}")),
        1 => raw.hard_link(&format!("h{number}"), "d0/file"),
        _ => raw.link(&format!("l{number}"), "/etc"),
    });
    let file = Raw::default().file("d0/file", b"");
    let archive = [gzip(&file.tar)?, repeated(&part.tar, MANY / 1000)?, gzip(&[0; 1024])?].concat();
    Ok((archive, UnpackLimits { bytes: 1 << 40, entries: MANY as u64 + 1, packed_from: None }))
}

#[test]
fn many_entries_are_unpacked_and_listed_in_little_memory() -> TestResult {
    if std::env::var_os(ALONE).is_none() {
        return alone("many_entries_are_unpacked_and_listed_in_little_memory");
    }
    let (archive, limits) = many()?;
    let place = Place::new()?;
    let unpacked = unpack(io::Cursor::new(archive.clone()), &place.root(), &limits, &mut ())?;
    assert_eq!((unpacked.files, unpacked.left_out.len() + unpacked.more_left_out), (1, MANY / 1000 * 333));
    let mut told = 0;
    list(io::Cursor::new(archive), &limits, &mut |_| {
        told += 1;
        Ok(())
    })?;
    assert_eq!(told, MANY + 1);
    assert!(peak_memory()?.is_none_or(|peak| peak < MEMORY), "{:?} kB", peak_memory()?);
    Ok(())
}

/// Runs one test in a process of its own, whose memory is nobody else's.
fn alone(name: &str) -> TestResult {
    let module = module_path!().split_once("::").map_or("", |(_, module)| module);
    let mut test = std::process::Command::new(std::env::current_exe()?);
    let done = test.args(["--exact", &format!("{module}::{name}")]).env(ALONE, "1").output()?;
    assert!(done.status.success() && String::from_utf8_lossy(&done.stdout).contains("1 passed"), "{done:?}");
    Ok(())
}

/// In kB, where the system tells.
fn peak_memory() -> Result<Option<u64>, Box<dyn std::error::Error>> {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return Ok(None) };
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(peak.map(|peak| peak.trim_end_matches("kB").trim().parse()).transpose()?)
}
