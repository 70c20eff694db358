"""Trains a tiny BERT that tells what a sentence thinks of its subject.

This is an ordinary SageMaker training script: hyperparameters come as arguments, folders as SM_* variables, numbers
that are printed become metrics, and what is saved in the model's folder is the job's result. It also runs by hand.
Sentences, tokenizer and model are made here, so that there is nothing to download. A model of the Hub would come by
AutoTokenizer.from_pretrained and AutoModelForSequenceClassification.from_pretrained; the rest would be the same.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from torch.utils.data import Dataset
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DataCollatorWithPadding,
    EvalPrediction,
    PreTrainedTokenizerFast,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.utils import logging

SUBJECTS = ("the film", "the book", "this song", "her speech", "the soup", "their house", "our journey", "the play")
KIND = ("good", "lovely", "great", "wonderful", "fine", "brilliant")
UNKIND = ("bad", "awful", "poor", "terrible", "dull", "boring")
DEGREES = ("", "very ", "really ", "so ", "quite ")
ENDINGS = ("", " indeed", " to me", " in the end", " they said")
LABELS = ("unkind", "kind")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=float, default=4)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=42)
    # SageMaker says where the model goes; the default is for runs by hand, from this folder.
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "model"))
    return parser.parse_args()


def sentence(rng: random.Random) -> tuple[str, int]:
    """Such as `the soup was not very good indeed`, 0. `not` turns it round, so that no word alone tells."""
    is_kind, is_negated = rng.random() < 0.5, rng.random() < 0.5
    adjective = rng.choice(KIND if is_kind else UNKIND)
    verb = "was not" if is_negated else "was"
    words = f"{rng.choice(SUBJECTS)} {verb} {rng.choice(DEGREES)}{adjective}{rng.choice(ENDINGS)}"
    return words, int(is_kind != is_negated)


def tokenizer_for(sentences: list[str]) -> PreTrainedTokenizerFast:
    """A token for each word, framed as BERT expects it."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer.train_from_iterator(sentences, trainers.WordLevelTrainer(special_tokens=special))
    frame = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=frame)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=32, **names)


class Sentences(Dataset):
    def __init__(self, examples: list[tuple[str, int]], tokenizer: PreTrainedTokenizerFast) -> None:
        texts, self.labels = zip(*examples)
        self.encoded = tokenizer(list(texts), truncation=True)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict:
        return {**{name: values[index] for name, values in self.encoded.items()}, "labels": self.labels[index]}


class Report(TrainerCallback):
    """Prints the numbers in the form that the expressions of job.toml's [metrics] find: `train_loss=0.6931`."""

    def on_log(self, args, state, control, logs=None, **kwargs) -> None:
        names = {"loss": "train_loss", "eval_loss": "validation_loss", "eval_accuracy": "validation_accuracy"}
        found = [f"{ours}={float(logs[theirs]):.4f}" for theirs, ours in names.items() if theirs in (logs or {})]
        if found and state.is_world_process_zero:
            # Flushed, so that the log shows it now and not when a buffer is full.
            print(f"epoch={state.epoch:.0f} {' '.join(found)}", flush=True)


def accuracy(prediction: EvalPrediction) -> dict[str, float]:
    return {"accuracy": float((prediction.predictions.argmax(-1) == prediction.label_ids).mean())}


def main() -> None:
    args = parse_arguments()
    logging.disable_progress_bar()  # bars are for terminals: in a log each of their steps is a line
    rng = random.Random(args.seed)
    examples = [sentence(rng) for _ in range(args.sentences)]
    tokenizer = tokenizer_for([text for text, _ in examples])
    held_out = max(1, args.sentences // 5)
    training, validation = Sentences(examples[held_out:], tokenizer), Sentences(examples[:held_out], tokenizer)
    print(f"{len(training)} sentences to train on, such as {examples[held_out]}; {len(validation)} to validate on")

    torch.manual_seed(args.seed)
    config = BertConfig(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        num_hidden_layers=args.layers,
        hidden_size=args.hidden,
        intermediate_size=args.hidden * 2,
        num_attention_heads=4,
        max_position_embeddings=tokenizer.model_max_length,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
    )
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=BertForSequenceClassification(config),
            args=TrainingArguments(
                output_dir=scratch,  # checkpoints, which there are none of; the model is saved below
                num_train_epochs=args.epochs,
                per_device_train_batch_size=args.batch_size,
                per_device_eval_batch_size=256,
                learning_rate=args.learning_rate,
                seed=args.seed,
                eval_strategy="epoch",
                logging_strategy="epoch",
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                dataloader_pin_memory=torch.cuda.is_available(),
            ),
            train_dataset=training,
            eval_dataset=validation,
            data_collator=DataCollatorWithPadding(tokenizer),
            compute_metrics=accuracy,
            callbacks=[Report()],
        )
        trainer.remove_callback(PrinterCallback)  # Report says the same
        trainer.train()
        # Tokenizer and model together, as from_pretrained reads them.
        trainer.save_model(str(args.model_dir))
        tokenizer.save_pretrained(str(args.model_dir))


if __name__ == "__main__":
    main()
