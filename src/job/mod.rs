//! The job spec: reading it, checking it, and the CreateTrainingJob request that it means.
//!
//! [`load`] is the way in. A spec's text ([`text`]) becomes a tree whose every key and value knows its place ([`parse`],
//! [`tree`]), the command line's values are put over it ([`overrides`]) and the settings under it ([`layers`]), the
//! sections turn it into [`spec::JobSpec`] ([`sections`], by means of [`reader`]), and [`validate`] looks at the whole.
//! All that is found on the way is collected in one [`report`].

mod depth;
mod duration;
pub(crate) mod image_query;
pub(crate) mod images_file;
mod instance_types;
mod keys;
mod layers;
mod load;
mod numbers;
mod overrides;
mod parse;
mod patterns;
pub(crate) mod problem;
mod reader;
mod report;
pub(crate) mod request;
pub(crate) mod schema;
mod sections;
pub(crate) mod spec;
mod suggest;
pub(crate) mod template;
mod text;
mod tree;
mod validate;
mod values;

#[cfg(test)]
mod tests;

pub(crate) use layers::{Layer, Layers, Origin, Setting, VARIABLES};
pub(crate) use load::{LoadOptions, Loaded, load};
pub(crate) use overrides::Override;
