//! SageMaker's training container contract: what a script finds under `/opt/ml`, in its arguments and its environment.
