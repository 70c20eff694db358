//! Archives that other programs make, in every format that they know.

use std::process::Command;

use super::made::{LIMITS, listed, tree};
use super::*;

/// A folder `from` with all that a format may find hard, as far as it knows such things.
const FIXTURE: &str = r#"
import io, os, sys, tarfile
format = {"v7": None, "ustar": tarfile.USTAR_FORMAT, "pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT}[sys.argv[1]]
def add(tar, name, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(data), 0o640, 1700000000
    for field, value in fields.items():
        setattr(info, field, value)
    tar.addfile(info, io.BytesIO(data))
with tarfile.open(sys.argv[2], "w:gz", format=format, pax_headers={"comment": "for all"} if sys.argv[1] == "pax" else None) as tar:
    add(tar, "d", type=tarfile.DIRTYPE, mode=0o750)
    add(tar, "d/file", b"data")
    add(tar, "d/" + "p" * 60 + "/" + "q" * 60, b"long")
    add(tar, "link", type=tarfile.SYMTYPE, linkname="d/file")
    add(tar, "hard", type=tarfile.LNKTYPE, linkname="d/file")
    if sys.argv[1] != "ustar":
        add(tar, "n" * 200, b"longer", mtime=1700000000.75)
        add(tar, "l", type=tarfile.SYMTYPE, linkname="t" * 200)
        add(tar, "old", b"", mtime=-1000000)
        add(tar, "owner", b"", uid=1 << 40, uname="\u00fc")
        add(tar, "\u00fcn\u00ef", b"utf-8")
"#;

#[test]
fn what_python_packs_in_each_format_is_unpacked() -> TestResult {
    let long = format!("d/{}/{}=long", "p".repeat(60), "q".repeat(60));
    let folder = format!("d/{}/", "p".repeat(60));
    let common = ["d/", "d/file=data", &folder, &long, "hard=data", "link -> d/file"].map(ToOwned::to_owned);
    let more = [
        format!("{}=longer", "n".repeat(200)),
        format!("l -> {}", "t".repeat(200)),
        "old=".to_owned(),
        "owner=".to_owned(),
        "\\xc3\\xbcn\\xc3\\xaf=utf-8".to_owned(),
    ];
    for (format, expected) in
        [("ustar", common.to_vec()), ("pax", [&common[..], &more].concat()), ("gnu", [&common[..], &more].concat())]
    {
        let place = Place::new()?;
        let archive = python(&place, format)?;
        place.unpack(&archive)?;
        let mut expected = expected;
        expected.sort();
        assert_eq!(tree(&place.root())?, expected, "{format}");
        let file = fs::metadata(place.root().join("d/file"))?;
        assert_eq!((file.mode() & 0o7777, file.mtime(), file.nlink()), (0o640, 1_700_000_000, 2), "{format}");
        assert_eq!((listed(&archive).0.len(), listed(&archive).1.is_ok()), (expected.len() - 1, true), "{format}");
    }
    Ok(())
}

fn python(place: &Place, format: &str) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let path = place.folder.path().join("outside/python.tar.gz");
    let python = output(Command::new("python3").args(["-X", "utf8", "-c", FIXTURE, format]).arg(&path))?;
    assert!(python.status.success(), "{python:?}");
    Ok(fs::read(path)?)
}

/// The folder that `tar` packs.
fn folder(place: &Place) -> io::Result<PathBuf> {
    let from = place.folder.path().join("outside/from");
    fs::create_dir_all(from.join("d"))?;
    fs::write(from.join("d/file"), "data")?;
    fs::write(from.join("d").join("n".repeat(90)), "name")?;
    symlink("d/file", from.join("link"))?;
    symlink("file", from.join("d/link"))?;
    fs::hard_link(from.join("d/file"), from.join("hard"))?;
    Ok(from)
}

/// Where the system's `tar` is GNU's or bsdtar, it knows these formats; others it may not.
#[test]
fn what_tar_packs_in_each_format_is_unpacked() -> TestResult {
    for format in ["v7", "ustar", "pax", "gnu", "oldgnu", "posix", "gnutar"] {
        for program in ["tar", "bsdtar", "gtar"] {
            let place = Place::new()?;
            let from = folder(&place)?;
            let archive = place.folder.path().join("outside/tar.tar.gz");
            let mut tar = Command::new(program);
            tar.args(["--format", format, "-czf"]).arg(&archive).arg("-C").arg(&from).arg(".");
            // That there is no such program, or that it knows no such format, is nothing to unpack.
            if !output(&mut tar).is_ok_and(|tar| tar.status.success()) {
                continue;
            }
            place.unpack(&fs::read(&archive)?)?;
            assert_eq!(tree(&place.root())?, tree(&from)?, "{program}, {format}");
        }
    }
    Ok(())
}

#[test]
fn a_sparse_file_that_tar_packs_is_unpacked_or_refused_by_name() -> TestResult {
    for format in ["gnu", "oldgnu", "pax"] {
        let place = Place::new()?;
        let from = place.folder.path().join("outside/from");
        fs::create_dir(&from)?;
        let mut file = File::create(from.join("sparse"))?;
        for piece in 0..40_u64 {
            io::Seek::seek(&mut file, io::SeekFrom::Start(piece * 100_000))?;
            file.write_all(b"piece")?;
        }
        file.set_len(5_000_000)?;
        let archive = place.folder.path().join("outside/tar.tar.gz");
        let mut tar = Command::new("tar");
        tar.args(["--format", format, "-S", "-czf"]).arg(&archive).arg("-C").arg(&from).arg("sparse");
        if !output(&mut tar).is_ok_and(|tar| tar.status.success()) {
            continue;
        }
        let archive = fs::read(archive)?;
        match unpack(io::Cursor::new(archive), &place.root(), &LIMITS, &mut ()) {
            Ok(_) => assert!(fs::read(place.root().join("sparse"))? == fs::read(from.join("sparse"))?, "{format}"),
            Err(error) => {
                assert!(format == "pax" && error.to_string().contains("entry sparse is"), "{format}: {error}");
            }
        }
    }
    Ok(())
}
