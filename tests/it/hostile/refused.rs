//! Archives that are not unpacked: what was fetched of them is kept, and the hint says how to go on.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::EntryType;

use crate::support::{CommandOutput, Sandbox, TestAccount, TestResult, Transcript};

/// A tar made entry by entry, with nothing checked.
#[derive(Default)]
struct Raw(Vec<u8>);

impl Raw {
    fn entry(mut self, kind: EntryType, name: &str, link: &str, data: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_size(data.len() as u64);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, data: &[u8]) -> Self {
        self.entry(EntryType::Regular, name, "", data)
    }

    fn link(self, name: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, name, target, b"")
    }

    fn hard_link(self, name: &str, target: &str) -> Self {
        self.entry(EntryType::Link, name, target, b"")
    }

    fn folder(self, name: &str) -> Self {
        self.entry(EntryType::Directory, name, "", b"")
    }

    fn long_name(self, name: &str) -> Self {
        self.entry(EntryType::GNULongName, "././@LongLink", "", &[name.as_bytes(), b"\0"].concat())
    }

    /// Changes a byte of what is there so far.
    fn flipped(mut self, at: usize) -> Self {
        self.0[at] ^= 1;
        self
    }

    fn gz(mut self) -> TestResult<Vec<u8>> {
        self.0.extend_from_slice(&[0; 1024]);
        let mut archive = GzEncoder::new(Vec::new(), Compression::fast());
        archive.write_all(&self.0)?;
        Ok(archive.finish()?)
    }
}

/// A bucket with one object, `model.tar.gz`.
struct Bucket {
    sandbox: Sandbox,
    tenant: TestAccount,
    uri: String,
}

impl Bucket {
    fn with(archive: &[u8]) -> TestResult<Self> {
        let (sandbox, tenant) = Sandbox::on_aws()?;
        let bucket = tenant.default_bucket();
        tenant.make_bucket(&bucket)?;
        tenant.put_object(&bucket, "model.tar.gz", archive)?;
        Ok(Self { sandbox, tenant, uri: format!("s3://{bucket}/model.tar.gz") })
    }

    fn download(&self, args: &[&str]) -> TestResult<CommandOutput> {
        self.sandbox.smtrain(&["download", "-d", "out", &self.uri]).args(args).run()
    }

    fn out(&self, below: &str) -> std::path::PathBuf {
        self.sandbox.path("out").join(below)
    }
}

/// Every kind of refusal, after a file that is sound, with a title.
fn refused() -> Vec<(&'static str, Raw)> {
    let sound = || Raw::default().file("good", b"good").file("fine", b"fine");
    let malformed = sound().file("bad", b"").flipped(2048 + 5);
    let pax = sound().entry(EntryType::XHeader, "x", "", b"99 path=short\n").file("bad", b"");
    vec![
        ("a name above the folder", sound().file("../x", b"")),
        ("an absolute name", sound().file("/tmp/x", b"")),
        ("a hard link above the folder", sound().hard_link("h", "../x")),
        ("a name that is too long", sound().long_name(&"p".repeat(300)).file("x", b"")),
        ("a path that is too long", sound().long_name(&"long/".repeat(20_000)).file("x", b"")),
        ("a file named .", sound().file(".", b"x")),
        ("a file below a link", sound().link("l", "good").file("l/x", b"")),
        ("a file below a file", sound().file("good/x", b"")),
        ("a hard link to a folder", sound().folder("f").hard_link("h", "f")),
        ("a device", sound().entry(EntryType::Char, "d", "", b"")),
        ("a fifo", sound().entry(EntryType::Fifo, "d", "", b"")),
        ("an unknown type", sound().entry(EntryType::new(b'V'), "d", "", b"")),
        ("a hard link to nothing", sound().hard_link("h", "missing")),
        ("a hard link into no folder", sound().hard_link("h", "no/such/folder")),
        ("a hard link to a later file", sound().hard_link("h", "later").file("later", b"")),
        ("a wrong checksum", malformed),
        ("a malformed pax header", pax),
    ]
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn what_was_fetched_is_kept_and_goes_on_as_an_archive() -> TestResult {
    let mut transcript = Transcript::default();
    for (title, raw) in refused() {
        let archive = raw.gz()?;
        let bucket = Bucket::with(&archive)?;
        let said = bucket.download(&[])?.expect(1)?;
        transcript.add(title, &said);
        assert_eq!(fs::read(bucket.out(".model.partial/archive"))?, archive, "{title}");
        assert!(!bucket.out("model").exists(), "{said}");
        bucket.download(&["--archive"])?.ok()?;
        assert_eq!(fs::read(bucket.out("model.tar.gz"))?, archive, "{title}");
        assert_eq!(fs::read_dir(bucket.out(""))?.count(), 1, "nothing else is left: {title}");
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## a name above the folder
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry ../x would be written outside the folder
    hint: smtrain unpacks no archive that could do harm: --list shows its entries, --archive keeps it as it is
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## an absolute name
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry /tmp/x would be written outside the folder
    hint: smtrain unpacks no archive that could do harm: --list shows its entries, --archive keeps it as it is
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## a hard link above the folder
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's hard link h leads to ../x, outside the folder
    hint: --only PATTERN unpacks the other files, and --archive keeps it as it is
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive, or with --only, continues from there
    ## a name that is too long
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp... has, or leads to, a name that no file can have
    hint: --archive keeps it as it is, for another program to unpack
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## a path that is too long
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/... has, or leads to, a name that no file can have
    hint: --archive keeps it as it is, for another program to unpack
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## a file named .
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry . has, or leads to, a name that no file can have
    hint: --archive keeps it as it is, for another program to unpack
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## a file below a link
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry l/x leads through a link or a file
    hint: --only PATTERN unpacks the other files, and --archive keeps it as it is
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive, or with --only, continues from there
    ## a file below a file
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry good/x leads through a link or a file
    hint: --only PATTERN unpacks the other files, and --archive keeps it as it is
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive, or with --only, continues from there
    ## a hard link to a folder
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry h leads through a link or a file
    hint: --only PATTERN unpacks the other files, and --archive keeps it as it is
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive, or with --only, continues from there
    ## a device
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry d is a device, which is not unpacked
    hint: --archive keeps it as it is, for another program to unpack
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## a fifo
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry d is a fifo, which is not unpacked
    hint: --archive keeps it as it is, for another program to unpack
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## an unknown type
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's entry d is of a kind that smtrain does not know, which is not unpacked
    hint: --archive keeps it as it is, for another program to unpack
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## a hard link to nothing
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's hard link h leads to missing, which is not in the archive before it
    hint: --only PATTERN unpacks the other files, and --archive keeps it as it is
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive, or with --only, continues from there
    ## a hard link into no folder
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's hard link h leads to no/such/folder, which is not in the archive before it
    hint: --only PATTERN unpacks the other files, and --archive keeps it as it is
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive, or with --only, continues from there
    ## a hard link to a later file
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's hard link h leads to later, which is not in the archive before it
    hint: --only PATTERN unpacks the other files, and --archive keeps it as it is
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive, or with --only, continues from there
    ## a wrong checksum
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive is damaged or cut short after fine
      cause: a header's checksum is wrong
    hint: the decompressed data is no valid tar archive: --archive keeps it as it is
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    ## a malformed pax header
    exit code: 1
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive is damaged or cut short after fine
      cause: a pax header is malformed
    hint: the decompressed data is no valid tar archive: --archive keeps it as it is
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive continues from there
    "#);
    Ok(())
}

/// A hint that ends in the same refusal is none.
#[test]
fn every_hint_works() -> TestResult {
    let mut hinted = [false; 2];
    for (title, raw) in refused() {
        let bucket = Bucket::with(&raw.gz()?)?;
        let said = bucket.download(&[])?.expect(1)?;
        // The hints decide what is run next.
        if said.stderr.contains("--only") {
            hinted[0] = true;
            bucket.download(&["--only", "fine"])?.ok()?;
            assert_eq!(fs::read_to_string(bucket.out("model/fine"))?, "fine", "{title}: {said}");
        }
        if said.stderr.contains("--list") {
            hinted[1] = true;
            bucket.download(&["--list"])?.ok()?;
        }
    }
    assert_eq!(hinted, [true, true], "both are hinted at where they work");
    Ok(())
}

/// Bytes that are there are not fetched for it.
#[test]
fn an_archive_goes_on_from_what_was_fetched_to_be_unpacked() -> TestResult {
    let noise: Vec<u8> = (0_u32..1_500_000).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    let archive = Raw::default().file("noise", &noise).file("../x", b"").gz()?;
    let bucket = Bucket::with(&archive)?;
    bucket.download(&[])?.expect(1)?;
    bucket.download(&["--archive"])?.ok()?;
    assert!(bucket.tenant.sent()? < 2 * archive.len() as u64, "{} bytes", bucket.tenant.sent()?);
    assert_eq!(fs::read(bucket.out("model.tar.gz"))?, archive);
    Ok(())
}

#[test]
fn sound_files_of_a_malformed_archive_come_by_only() -> TestResult {
    let bucket = Bucket::with(&Raw::default().file("good", b"good").hard_link("h", "missing").gz()?)?;
    let said = bucket.download(&[])?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive's hard link h leads to missing, which is not in the archive before it
    hint: --only PATTERN unpacks the other files, and --archive keeps it as it is
    hint: the fetched bytes are kept in out/.model.partial: `smtrain download` with --archive, or with --only, continues from there
    "#);
    bucket.download(&["--only", "good"])?.ok()?;
    assert_eq!(fs::read_to_string(bucket.out("model/good"))?, "good");
    Ok(())
}

/// With more room the same bytes do.
#[test]
fn an_archive_that_is_too_large_is_kept() -> TestResult {
    let bucket = Bucket::with(&Raw::default().file("zeros", &vec![0; 1 << 20]).gz()?)?;
    let said = bucket.download(&["--max-size", "100kB"])?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: could not unpack s3://sagemaker-eu-west-1-[ACCOUNT]/model.tar.gz
      cause: the archive unpacks to more than 100000 bytes, with 4096 bytes for each file, folder and link
    hint: allow more by --max-size SIZE, on a disk that has the room
    hint: the fetched bytes are kept in out/.model.partial: the same command continues from there
    "#);
    bucket.download(&[])?.ok().map(drop)
}

#[test]
fn a_name_that_comes_twice_is_one_file() -> TestResult {
    let raw = Raw::default().file("a", b"12345").file("a", b"123").link("b", "a").file("b", b"1").file("./a", b"1234");
    let bucket = Bucket::with(&raw.gz()?)?;
    let said = bucket.download(&["-o", "json"])?.ok()?;
    let lines = said.json_lines()?;
    let last = lines.last().ok_or("nothing was printed")?;
    assert_eq!((&last["parts"][0]["files"], &last["parts"][0]["bytes"]), (&2.into(), &5.into()), "{said}");
    insta::assert_snapshot!(said.stderr_snapshot(bucket.sandbox.root())?, @"model.tar.gz: 2 files, 5 B in out/model");
    Ok(())
}

/// Deeper than any path that the system takes in one piece.
#[test]
fn a_model_of_three_thousand_folders_is_unpacked() -> TestResult {
    const DEEP: usize = 3000;
    let name = format!("{}model.bin", "dir/".repeat(DEEP));
    let bucket = Bucket::with(&Raw::default().long_name(&name).file("x", b"deep").gz()?)?;
    // Left by a download that was refused: it goes, too.
    bucket.download(&["--max-size", "1MB"])?.expect(1)?;
    bucket.download(&[])?.ok()?;
    let depth = |root: &Path| -> TestResult<String> {
        let script = "import os, sys\nos.chdir(sys.argv[1])\ndepth = 0\nwhile os.path.isdir('dir'):\n os.chdir('dir')\n \
                      depth += 1\nprint(depth, open('model.bin').read())";
        let root = root.display().to_string();
        Ok(bucket.sandbox.emulator_python(&["-c", script, &root])?.run()?.ok()?.line().to_owned())
    };
    assert_eq!(depth(&bucket.out("model"))?, format!("{DEEP} deep"));
    bucket.download(&["--force"])?.ok()?;
    assert_eq!(depth(&bucket.out("model"))?, format!("{DEEP} deep"));
    assert_eq!(fs::read_dir(bucket.out(""))?.count(), 1);
    bucket.sandbox.sh("rm -rf out").run()?.ok().map(drop)
}
