//! What an interrupted download left is damaged, or is not there any more: it is noticed, and all comes whole.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{Bucket, MIB, Model, noted};
use crate::support::{CommandOutput, TestResult};

/// What a second run says, and how much it fetches.
struct Second {
    said: CommandOutput,
    sent: u64,
    /// What the first run had noted, and the size of it all.
    noted: u64,
    size: u64,
}

impl Second {
    /// Goes on, after something is done to what a killed download left.
    fn after(meddle: impl Fn(&Path) -> TestResult) -> TestResult<Self> {
        let model = Model::of_noise(5, 6 * MIB)?;
        let (bucket, uri) = Bucket::with(&model.archive)?;
        bucket.slow_down(400_000)?;
        bucket.kill_after(MIB as u64, &[&uri])?;
        bucket.tenant.clear_rules()?;
        bucket.tenant.clear_calls()?;
        let noted = noted(&bucket.partial().join("fetched"));
        meddle(&bucket.partial())?;
        let said = bucket.download(&[&uri])?.ok()?;
        bucket.assert_whole(&model)?;
        Ok(Self { said, sent: bucket.tenant.sent()?, noted, size: model.archive.len() as u64 })
    }

    fn says_that_it_is_damaged(&self) -> bool {
        // How much was fetched earlier, which is said too, depends on the moment.
        self.said.stderr.contains("what was fetched earlier is damaged: all of it is fetched again")
    }

    /// It began with nothing.
    fn assert_all_again(&self) {
        // As above.
        assert!(self.sent == self.size && !self.said.stderr.contains("resuming at"), "{} {}", self.sent, self.said);
    }

    /// It went on, and then found out.
    fn assert_found_damaged(&self) {
        assert!(self.says_that_it_is_damaged(), "{}", self.said);
        assert_eq!(self.sent, 2 * self.size - self.noted);
    }
}

#[test]
fn a_journal_whose_last_line_is_cut() -> TestResult {
    let second = Second::after(|partial| {
        let journal = OpenOptions::new().write(true).open(partial.join("fetched"))?;
        Ok(journal.set_len(journal.metadata()?.len() - 4)?)
    })?;
    // How much had been fetched depends on the moment.
    assert!(second.said.stderr.contains("resuming at") && !second.says_that_it_is_damaged(), "{}", second.said);
    assert!(second.sent < second.size);
    Ok(())
}

#[test]
fn a_journal_that_is_gone() -> TestResult {
    Second::after(|partial| Ok(fs::remove_file(partial.join("fetched"))?))?.assert_all_again();
    Ok(())
}

#[test]
fn a_journal_that_is_none() -> TestResult {
    Second::after(|partial| Ok(fs::write(partial.join("fetched"), [0xff; 5000])?))?.assert_all_again();
    Ok(())
}

/// As a disk can have it that was switched off: what was noted last is there, what was written before is not.
#[test]
fn a_journal_that_tells_of_more_than_came() -> TestResult {
    let second = Second::after(|partial| {
        let length = partial.join("archive").metadata()?.len();
        let mut journal = OpenOptions::new().append(true).open(partial.join("fetched"))?;
        Ok(writeln!(journal, "0 0 {length}")?)
    })?;
    assert!(second.says_that_it_is_damaged(), "{}", second.said);
    Ok(())
}

#[test]
fn an_archive_that_is_gone() -> TestResult {
    Second::after(|partial| Ok(fs::remove_file(partial.join("archive"))?))?.assert_all_again();
    Ok(())
}

#[test]
fn an_archive_cut_short() -> TestResult {
    Second::after(|partial| Ok(OpenOptions::new().write(true).open(partial.join("archive"))?.set_len(100_000)?))?
        .assert_all_again();
    Ok(())
}

/// In gzip's own header, in the data, and in what tar says of a file.
#[test]
fn bytes_of_an_archive_that_changed() -> TestResult {
    for at in [0, 30, 100_000] {
        let second = Second::after(|partial| {
            let archive = File::options().read(true).write(true).open(partial.join("archive"))?;
            let mut byte = [0];
            archive.read_exact_at(&mut byte, at)?;
            Ok(archive.write_all_at(&[byte[0] ^ 0x10], at)?)
        })?;
        second.assert_found_damaged();
    }
    Ok(())
}

/// Of the tree that was being made, nothing is trusted.
#[test]
fn files_that_changed() -> TestResult {
    let second = Second::after(|partial| {
        fs::create_dir_all(partial.join("files/deep"))?;
        fs::write(partial.join("files/deep/other"), "mine")?;
        Ok(fs::write(partial.join("files/config.json"), "mine")?)
    })?;
    assert_eq!(second.sent, second.size - second.noted);
    Ok(())
}
