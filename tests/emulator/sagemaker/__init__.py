"""SageMaker's training jobs: the API, and jobs that truly run."""
