//! One file a command or a subject of the command line: what it prints, and how it exits.

mod as_written;
mod completions;
mod describe;
mod download;
mod help;
mod history;
mod image;
mod image_names;
mod init;
mod left_out;
mod logs;
mod outcomes;
mod places;
mod refusals;
mod schema;
mod settings;
mod shell;
mod stop;
mod submit;
mod templates;
mod terminal;
mod unworkable;
mod validate;
mod wait;
