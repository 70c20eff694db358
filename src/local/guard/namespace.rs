//! A private `/opt/ml`: a mount namespace in which the job's folder stands there, with no root and no Docker.

#[cfg(target_os = "linux")]
pub(crate) use linux::enter;

/// Other systems have no mount namespaces.
#[cfg(not(target_os = "linux"))]
pub(crate) fn enter(_ml: &std::path::Path) -> std::io::Result<()> {
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, "only Linux has mount namespaces"))
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::io::{self, Write};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use nix::errno::Errno;
    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};
    use nix::unistd::{Gid, Uid, getegid, geteuid};

    use crate::contract::HOST_NAME;

    /// Where the contract's folder is mounted: `/opt/ml`.
    const OPT: &str = "/opt";
    const ML: &str = "ml";
    const HOSTS: &str = "/etc/hosts";

    /// Puts this process, and all that it starts, into a mount namespace where `ml` is seen as `/opt/ml`. What else lives
    /// under `/opt` stays visible. The process must have one thread.
    pub(crate) fn enter(ml: &Path) -> io::Result<()> {
        let (uid, gid) = (geteuid(), getegid());
        // With the right to mount, no user namespace is needed, and other users' files keep their owners.
        if !uid.is_root() || unshare(CloneFlags::CLONE_NEWNS).is_err() {
            unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).map_err(refused)?;
            map_own_ids(uid, gid).map_err(|error| failed("keep the user's id", &error))?;
        }
        // No mount made here is to be seen outside.
        let private = mount_as(None, Path::new("/"), None, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
        private.map_err(|error| failed("make mounts private", &error))?;
        mount_opt(ml)?;
        // A script that needs the name says so itself.
        let _unnamed = name_host();
        Ok(())
    }

    /// The kernel's numbers mean something else elsewhere (user_namespaces(7)).
    fn refused(error: Errno) -> io::Error {
        io::Error::other(match error {
            Errno::ENOSPC | Errno::EUSERS => "user namespaces are switched off, or all in use".to_owned(),
            Errno::EPERM => "user namespaces are forbidden".to_owned(),
            error => format!("no user namespace: {error}"),
        })
    }

    /// Tells the step: the error alone doesn't say which.
    fn failed(doing: &str, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("could not {doing}: {error}"))
    }

    /// The user keeps its own id, so that files and programs behave as outside.
    fn map_own_ids(uid: Uid, gid: Gid) -> io::Result<()> {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
        fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))
    }

    /// Builds the new `/opt` aside, where the old one can still be seen, and moves it into place.
    fn mount_opt(ml: &Path) -> io::Result<()> {
        // Kept: should a mount fail, removing it with all that it holds would remove what is mounted in it.
        let staging = tempfile::tempdir()?.keep();
        let new = staging.as_path();
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount_as(Some(Path::new("tmpfs")), new, Some("tmpfs"), flags)
            .map_err(|error| failed("mount a tmpfs", &error))?;
        let mounted = fs::create_dir(new.join(ML)).and_then(|()| bind(ml, &new.join(ML)));
        mounted.map_err(|error| failed("mount the job's folder", &error))?;
        mirror_opt(new);
        mount_as(Some(new), Path::new(OPT), None, MsFlags::MS_MOVE)
            .map_err(|error| failed("mount over /opt", &error))?;
        fs::remove_dir(new)
    }

    /// What can't be had, such as a disk that no longer answers, is missing: few jobs need it, and all need `/opt/ml`.
    fn mirror_opt(new: &Path) {
        let Ok(entries) = fs::read_dir(OPT) else { return };
        for entry in entries.flatten().filter(|entry| entry.file_name() != ML) {
            let _missing = mirror(&entry, &new.join(entry.file_name()));
        }
    }

    /// Lets the host's name be resolved, as SageMaker's own hosts file does: `torch.distributed` meets there.
    fn name_host() -> io::Result<()> {
        let hosts = fs::read_to_string(HOSTS)? + &format!("\n127.0.0.1 {HOST_NAME}\n");
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(hosts.as_bytes())?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        // What is mounted stays when the file loses its name.
        bind(file.path(), Path::new(HOSTS))
    }

    fn mirror(entry: &fs::DirEntry, at: &Path) -> io::Result<()> {
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            return symlink(fs::read_link(entry.path())?, at);
        }
        if kind.is_dir() {
            fs::create_dir(at)?;
        } else {
            fs::File::create(at)?;
        }
        bind(&entry.path(), at)
    }

    fn bind(from: &Path, to: &Path) -> io::Result<()> {
        mount_as(Some(from), to, None, MsFlags::MS_BIND | MsFlags::MS_REC)
    }

    fn mount_as(from: Option<&Path>, to: &Path, kind: Option<&str>, flags: MsFlags) -> io::Result<()> {
        Ok(mount(from, to, kind, flags, None::<&str>)?)
    }
}
