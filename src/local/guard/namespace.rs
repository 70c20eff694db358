//! Mounts the job's folder at `/opt/ml` in a mount namespace, without root or Docker.

#[cfg(target_os = "linux")]
pub(crate) use linux::enter;

/// Fails: only Linux has mount namespaces.
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

    /// Parent of the contract's folder `/opt/ml`.
    const OPT: &str = "/opt";
    const ML: &str = "ml";
    const HOSTS: &str = "/etc/hosts";

    /// Moves this process, and those that it starts, into a mount namespace in which `ml` is at `/opt/ml`. Other
    /// entries of `/opt` stay visible. The process must have one thread.
    pub(crate) fn enter(ml: &Path) -> io::Result<()> {
        let uid = geteuid();
        let gid = getegid();
        // Root needs no user namespace, and without one, other users' files keep their owners.
        if !uid.is_root() || unshare(CloneFlags::CLONE_NEWNS).is_err() {
            unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).map_err(describe_refusal)?;
            map_own_ids(uid, gid).map_err(|error| add_step("keep the user's id", &error))?;
        }
        // Keeps the mounts below from propagating to other namespaces.
        let private = mount_as(None, Path::new("/"), None, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
        private.map_err(|error| add_step("make mounts private", &error))?;
        mount_opt(ml)?;
        // A script that needs the name fails with its own error.
        let _unnamed = add_host_name();
        Ok(())
    }

    /// Describes the error of `unshare`, whose error numbers have meanings of their own (user_namespaces(7)).
    fn describe_refusal(error: Errno) -> io::Error {
        io::Error::other(match error {
            Errno::ENOSPC | Errno::EUSERS => "user namespaces are switched off, or all in use".to_owned(),
            Errno::EPERM => "user namespaces are forbidden".to_owned(),
            error => format!("no user namespace: {error}"),
        })
    }

    /// Adds the failed step to an error.
    fn add_step(doing: &str, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("could not {doing}: {error}"))
    }

    /// Maps the user's id to itself, so that files and programs behave as outside.
    fn map_own_ids(uid: Uid, gid: Gid) -> io::Result<()> {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
        fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))
    }

    /// Builds the new `/opt` elsewhere, while the old one is visible, and moves it into place.
    fn mount_opt(ml: &Path) -> io::Result<()> {
        // Never removed automatically: if a mount failed, a recursive removal would delete the mounted files.
        let staging = tempfile::tempdir()?.keep();
        let new = staging.as_path();
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount_as(Some(Path::new("tmpfs")), new, Some("tmpfs"), flags)
            .map_err(|error| add_step("mount a tmpfs", &error))?;
        let mounted = fs::create_dir(new.join(ML)).and_then(|()| bind(ml, &new.join(ML)));
        mounted.map_err(|error| add_step("mount the job's folder", &error))?;
        mirror_opt(new);
        mount_as(Some(new), Path::new(OPT), None, MsFlags::MS_MOVE)
            .map_err(|error| add_step("mount over /opt", &error))?;
        fs::remove_dir(new)
    }

    /// Bind-mounts the entries of the old `/opt`. Entries that fail, such as those on an unresponsive disk, are left
    /// out: few jobs need them.
    fn mirror_opt(new: &Path) {
        let Ok(entries) = fs::read_dir(OPT) else { return };
        for entry in entries.flatten().filter(|entry| entry.file_name() != ML) {
            let _missing = mirror(&entry, &new.join(entry.file_name()));
        }
    }

    /// Adds the host's name to `/etc/hosts`, as SageMaker does: `torch.distributed` resolves it.
    fn add_host_name() -> io::Result<()> {
        let hosts = fs::read_to_string(HOSTS)? + &format!("\n127.0.0.1 {HOST_NAME}\n");
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(hosts.as_bytes())?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        // A mounted file outlives its name.
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
