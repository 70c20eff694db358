//! Tests of the log's writer and reader.

use proptest::prelude::*;

use super::*;
use crate::tests::TestResult;

fn write(path: &Path, lines: &[(i64, &[u8])]) -> io::Result<()> {
    let mut log = LogWriter::append(path)?;
    for (second, message) in lines {
        log.event(Timestamp::from_second(*second).unwrap_or_default(), message);
    }
    log.flush()
}

fn messages(run: &Events) -> Vec<&[u8]> {
    run.events.iter().map(|event| event.message.as_slice()).collect()
}

#[test]
fn reads_forwards_backwards_and_by_time() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log");
    write(&path, &[(1, b"one"), (2, b"two"), (3, b""), (4, b"four\r")])?;
    let mut log = LogReader::open(&path)?;
    let to = log.whole_len()?;
    assert_eq!(messages(&log.forwards(0, to, 9)?), [&b"one"[..], b"two", b"", b"four\r"]);
    let first = log.forwards(0, to, 2)?;
    assert_eq!(messages(&log.forwards(first.end, to, 9)?), [&b""[..], b"four\r"]);
    let last = log.backwards(0, to, 2)?;
    assert_eq!(messages(&last), [&b""[..], b"four\r"]);
    assert_eq!(messages(&log.backwards(0, last.start, 9)?), [&b"one"[..], b"two"]);
    for (second, expected) in [(0, 4), (2, 3), (4, 1), (5, 0)] {
        let from = log.first_since(Timestamp::from_second(second)?, to)?;
        assert_eq!(log.forwards(from, to, 9)?.events.len(), expected, "since {second}");
    }
    Ok(())
}

#[test]
fn a_line_cut_short_is_ended_and_kept() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log");
    std::fs::write(&path, b"1970-01-01T00:00:01.000Z whole\n1970-01")?;
    assert_eq!(LogReader::open(&path)?.whole_len()?, 31);
    write(&path, &[(2, b"next")])?;
    let mut log = LogReader::open(&path)?;
    let to = log.whole_len()?;
    assert_eq!(messages(&log.forwards(0, to, 9)?), [&b"whole"[..], b"1970-01", b"next"]);
    Ok(())
}

#[test]
fn marks_of_gaps_are_told_from_what_looks_like_them() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log");
    let mut log = LogWriter::append(&path)?;
    log.push_gap(Timestamp::from_second(1)?, "why");
    log.event(Timestamp::from_second(1)?, b"! smtrain: lines may be missing here: why");
    log.flush()?;
    assert!(std::fs::read_to_string(&path)?.starts_with("1970-01-01T00:00:01.000Z! smtrain: lines may"));
    let to = LogReader::open(&path)?.whole_len()?;
    let run = LogReader::open(&path)?.forwards(0, to, 9)?;
    assert_eq!(messages(&run)[0], b"smtrain: lines may be missing here: why");
    assert_eq!(run.events.iter().map(|event| event.is_gap).collect::<Vec<_>>(), [true, false]);
    assert_eq!(LogReader::open(&path)?.first_since(Timestamp::from_second(1)?, to)?, 0);
    Ok(())
}

#[test]
fn times_never_go_back() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log");
    write(&path, &[(9, b"a"), (5, b"b")])?;
    let mut log = LogReader::open(&path)?;
    let to = log.whole_len()?;
    let times: Vec<i64> = log.forwards(0, to, 9)?.events.iter().map(|event| event.timestamp.as_second()).collect();
    assert_eq!(times, [9, 9]);
    Ok(())
}

proptest! {
    #[test]
    fn pages_of_any_size_give_every_line_once(lengths in prop::collection::vec(0usize..2_000, 1..40), limit in 1usize..10) {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("log");
        let lines: Vec<Vec<u8>> = lengths.iter().map(|length| vec![b'x'; *length]).collect();
        let stamped: Vec<(i64, &[u8])> = (0..).zip(lines.iter().map(Vec::as_slice)).collect();
        write(&path, &stamped)?;
        let mut log = LogReader::open(&path)?;
        let to = log.whole_len()?;
        let (mut forwards, mut at) = (Vec::new(), 0);
        while at < to {
            let page = log.forwards(at, to, limit)?;
            at = page.end;
            forwards.extend(page.events);
        }
        let (mut backwards, mut end) = (Vec::new(), to);
        while end > 0 {
            let page = log.backwards(0, end, limit)?;
            end = page.start;
            backwards.splice(0..0, page.events);
        }
        prop_assert_eq!(forwards.iter().map(|event| event.message.clone()).collect::<Vec<_>>(), lines);
        prop_assert_eq!(forwards, backwards);
    }
}
