//! A model or output folder that can't be read fails the job and is kept.
