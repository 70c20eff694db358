//! smtrain held against others' work: botocore's API model, the SageMaker SDK, the training toolkit.

mod api;
mod sdk;
mod toolkit;
