//! The uploading phase: the model and the output data, stored where SageMaker would store them.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Job, with_causes};
use crate::archive;
use crate::cloud::local::contract::Layout;
use crate::cloud::local::home::{Home, create_private_dir};
use crate::cloud::local::objects;
use crate::cloud::local::state::Ending;
use crate::cloud::{CloudError, CloudResult, Content};
use crate::model::{JobStatus, S3Uri, artifacts};

/// Stores what the script left, then removes the job's `/opt/ml`. A failed job has no model, and keeps the folder, so that
/// nothing of it is lost.
pub(super) async fn store(job: &Job<'_>, ending: &Ending) -> CloudResult<()> {
    let layout = Layout::at(job.folder.ml());
    let failed = ending.status == JobStatus::Failed;
    let model = (!failed).then(|| (layout.model(), artifacts::model_uri(&job.request)));
    let output = Some((layout.output_data(), artifacts::output_uri(&job.request)));
    let home = job.home.clone();
    let stored = tokio::task::spawn_blocking(move || {
        model.into_iter().chain(output).try_for_each(|(folder, uri)| store_folder(&home, &folder, &uri))?;
        if !failed {
            // What the script has made so that it can't be removed stays: all that counts is stored.
            let _left = fs::remove_dir_all(layout.base());
        }
        Ok(())
    });
    stored.await.map_err(|error| CloudError::Other(format!("storing the artifacts ended: {error}")))?
}

fn store_folder(home: &Home, folder: &Path, uri: &str) -> CloudResult<()> {
    if is_empty(folder) {
        return Ok(());
    }
    let to = S3Uri::parse(uri).map_err(|error| CloudError::Other(format!("{uri}: {error}")))?;
    if uri.ends_with('/') { store_files(home, folder, folder, &to) } else { store_archive(home, folder, &to) }
}

fn is_empty(folder: &Path) -> bool {
    folder.read_dir().map_or(true, |mut entries| entries.next().is_none())
}

/// Packed beside its final place, then renamed: the archive is there whole or not at all.
fn store_archive(home: &Home, folder: &Path, to: &S3Uri) -> CloudResult<()> {
    let path = home.object(to)?;
    let parent = path.parent().unwrap_or(Path::new("."));
    create_private_dir(parent)?;
    let staged = tempfile::Builder::new().prefix(".new-").tempfile_in(parent);
    let staged = staged.map_err(CloudError::io(format!("create a file in {}", parent.display())))?;
    let mut writer = BufWriter::new(&staged);
    archive::pack_folder(folder, &mut writer)
        .map_err(|error| CloudError::Other(format!("could not pack {}: {}", folder.display(), with_causes(&error))))?;
    let flushed = writer.flush();
    drop(writer);
    let finish = || {
        flushed?;
        staged.as_file().sync_data()?;
        staged.persist(&path).map_err(|error| error.error).map(drop)
    };
    finish().map_err(CloudError::io(format!("write {}", path.display())))
}

/// `compression = "none"`: every file of the model as an object.
fn store_files(home: &Home, root: &Path, folder: &Path, to: &S3Uri) -> CloudResult<()> {
    let listed = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<PathBuf>>>();
    for path in listed().map_err(CloudError::io(format!("list {}", folder.display())))? {
        if path.is_dir() {
            store_files(home, root, &path, to)?;
        } else {
            let below = path.strip_prefix(root).unwrap_or(&path);
            let file = File::open(&path).map_err(CloudError::io(format!("read {}", path.display())))?;
            objects::put(home, &to.join(&below.to_string_lossy()), Content { file, sha256: None })?;
        }
    }
    Ok(())
}
