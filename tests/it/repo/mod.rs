//! The repository itself: the order of its modules, its documents and their commands.

mod architecture;
mod documents;
mod imports;
mod json_fields;
mod readme;
