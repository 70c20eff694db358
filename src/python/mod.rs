//! Values as Python prints and reads them: `repr` and `json.dumps`, which hyperparameters and environment variables of a
//! training container hold, and `json.loads` as far as the toolkit accepts what isn't JSON.

pub(crate) mod json;
pub(crate) mod repr;
