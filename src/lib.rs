//! smtrain
mod archive;
mod cloud;
mod error;
mod job;
mod model;
