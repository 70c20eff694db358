//! The kinds of entry points.
//!
//! Source: sagemaker-training 5.1.4, `_entry_point_type.py`.

/// Kinds of entry points, by which the toolkit decides how to run one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryPointKind {
    /// The source folder has a setup.py: it is installed, and the entry point is run as a module.
    Package,
    /// A Python script; requirements.txt is installed first.
    Program,
    /// Anything else, run by the shell. The toolkit makes the file executable, and installs nothing.
    Shell,
}
