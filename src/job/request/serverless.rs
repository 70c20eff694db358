//! Builds ServerlessJobConfig and ModelPackageConfig: how a model is customized, and where it is registered.

use crate::job::spec::{JobSpec, ModelPackage, Workload};
use crate::model::request::{ModelPackageConfig, ServerlessJobConfig};

pub(super) fn config(spec: &JobSpec) -> Option<ServerlessJobConfig> {
    let Workload::Serverless(given) = &spec.workload else { return None };
    Some(ServerlessJobConfig {
        base_model_arn: given.base_model_arn.clone(),
        accept_eula: given.accept_eula,
        job_type: given.job_type.clone(),
        customization_technique: given.customization_technique.clone(),
        peft: given.peft.clone(),
        evaluation_type: given.evaluation_type.clone(),
        evaluator_arn: given.evaluator_arn.clone(),
        sequence_length: given.sequence_length.clone(),
    })
}

pub(super) fn model_package(given: &ModelPackage) -> ModelPackageConfig {
    ModelPackageConfig {
        model_package_group_arn: given.group_arn.clone(),
        source_model_package_arn: given.source_arn.clone(),
    }
}
