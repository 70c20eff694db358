//! Symbolic links in archives, and in the folder that is unpacked into.

use super::*;

#[test]
fn links_that_lead_out_are_left_out_and_the_rest_is_unpacked() -> TestResult {
    for target in ["../outside", "/etc/passwd", "/opt/ml/checkpoints/e", "a/../../outside", "", "../into/x"] {
        let place = Place::new()?;
        let unpacked = place.unpack(&Raw::default().link("l", target).file("model.bin", b"m").gz()?)?;
        assert_eq!((unpacked.files, unpacked.left_out), (1, vec![format!("l -> {target}")]));
        assert!(fs::symlink_metadata(place.root().join("l")).is_err(), "{target}");
        assert!(place.is_untouched_outside()?, "{target}");
    }
    Ok(())
}

#[test]
fn links_that_lead_out_only_together_are_not_made() -> TestResult {
    // Each link alone would stay inside if the other were a folder.
    let place = Place::new()?;
    let two = Raw::default().link("deep/er/l", "../..").link("m", "deep/er/l/../outside");
    assert_eq!(place.unpack(&two.gz()?)?.left_out, ["m -> deep/er/l/../outside"]);
    assert!(no_link_leads_out(&place.root())?);
    Ok(())
}

#[test]
fn the_name_of_a_link_that_was_left_out_is_one_like_any_other() -> TestResult {
    let place = Place::new()?;
    let archive = Raw::default()
        .link("l", "../outside")
        .file("l/file", b"inside")
        .link("f", "../outside/file")
        .file("f", b"inside")
        .file("before", b"inside")
        .link("before", "../outside/file");
    let unpacked = place.unpack(&archive.gz()?)?;
    assert_eq!((unpacked.files, unpacked.left_out.len()), (3, 3));
    for name in ["l/file", "f", "before"] {
        assert_eq!(fs::read_to_string(place.root().join(name))?, "inside", "{name}");
    }
    assert!(place.is_untouched_outside()? && no_link_leads_out(&place.root())?);
    // Nor can it be had by another name.
    let hard = Raw::default().link("l", "../outside/file").entry(EntryType::Link, "h", "l", b"");
    assert!(matches!(refused(hard)?, UnpackError::LinkMissing { .. }));
    Ok(())
}

#[test]
fn of_many_links_that_lead_out_the_first_are_named() -> TestResult {
    let many = (0..130).fold(Raw::default(), |raw, number| raw.link(&format!("l{number}"), "/etc"));
    let unpacked = Place::new()?.unpack(&many.gz()?)?;
    assert_eq!((unpacked.left_out.len(), unpacked.more_left_out), (100, 30));
    let long = "n".repeat(4000);
    let named = Raw::default().entry(EntryType::GNULongName, "././@LongLink", "", long.as_bytes()).link("n", "/etc");
    let unpacked = Place::new()?.unpack(&named.gz()?)?;
    assert_eq!(unpacked.left_out, [format!("{}... -> /etc", &long[..200])]);
    Ok(())
}

#[test]
fn nothing_is_written_through_a_link() -> TestResult {
    let inner = Raw::default().file("a/x", b"").link("l", "a").file("l/x", b"bad");
    assert!(matches!(refused(inner)?, UnpackError::ThroughLink(_)));
    let folder = Raw::default().link("l", "a").entry(EntryType::Directory, "l", "", b"");
    assert!(matches!(refused(folder)?, UnpackError::ThroughLink(_)));
    Ok(())
}

#[test]
fn a_link_that_was_there_before_is_not_followed() -> TestResult {
    let place = Place::new()?;
    fs::create_dir(place.root())?;
    symlink("../outside", place.root().join("l"))?;
    let error = place.unpack(&Raw::default().file("l/file", b"bad").gz()?);
    assert!(matches!(error, Err(UnpackError::ThroughLink(_))), "{error:?}");
    symlink("../outside/file", place.root().join("f"))?;
    place.unpack(&Raw::default().file("f", b"mine").gz()?)?;
    assert_eq!(fs::read_to_string(place.root().join("f"))?, "mine");
    assert!(place.is_untouched_outside()?);
    Ok(())
}

#[test]
fn absolute_links_into_the_packed_folder_are_kept() -> TestResult {
    let folder = tempfile::tempdir()?;
    let limits = UnpackLimits { packed_from: Some("/opt/ml/model"), ..UnpackLimits::default() };
    let links = [("best", "/opt/ml/model/ckpt-3"), ("a/b/top", "/opt/ml/model"), ("a/w", "/opt/ml/model/a/b/top")];
    let archive = links.iter().fold(Raw::default(), |raw, (name, target)| raw.link(name, target)).gz()?;
    unpack(io::Cursor::new(archive.clone()), folder.path(), &limits, &mut ())?;
    for (name, expected) in [("best", "ckpt-3"), ("a/b/top", "../.."), ("a/w", "../a/b/top")] {
        assert_eq!(std::fs::read_link(folder.path().join(name))?, Path::new(expected), "{name}");
    }
    for outside in ["/opt/ml/model/../../etc", "/opt/ml/models/x", "/etc/passwd"] {
        let archive = Raw::default().link("link", outside).gz()?;
        assert_eq!(
            unpack(io::Cursor::new(archive.clone()), folder.path(), &limits, &mut ())?.left_out,
            [format!("link -> {outside}")]
        );
    }
    Ok(())
}
