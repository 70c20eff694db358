//! smtrain's pure modules, compiled without the rest of it, and the rules that they must keep for any input.
//!
//! Each fuzz target is a file that hands its bytes to a function of [`specs`], [`logs`] or [`profiles`]; what these find
//! broken, they panic about. [`words`] is a dictionary for the mutations. [`cloud`], [`error`], [`ui`] and [`view`] stand in
//! for modules of smtrain of which only a part is pure.

#[path = "../../src/contract/mod.rs"]
#[expect(dead_code, unused_imports, reason = "a part of the module is under test")]
mod contract;
#[path = "../../src/images/mod.rs"]
#[expect(dead_code, unused_imports, reason = "a part of the module is under test")]
mod images;
#[path = "../../src/job/mod.rs"]
#[expect(dead_code, unused_imports, reason = "a part of the module is under test")]
mod job;
#[path = "../../src/model/mod.rs"]
#[expect(dead_code, unused_imports, reason = "a part of the module is under test")]
mod model;
#[path = "../../src/python/mod.rs"]
mod python;

mod cloud;
mod error;
pub mod logs;
mod printer;
pub mod profiles;
mod requests;
mod screen;
pub mod specs;
mod ui;
mod view;
pub mod words;
