"""A real cross-encoder that has learned one thing: the moon is silver and the sun is gold."""

from __future__ import annotations

from pathlib import Path

_WORDS = ["moon", "sun", "silver", "gold", "ring", "chain", "old", "new", "small", "large", "product"]


def save_tiny_cross_encoder(folder: Path, *, outputs: int = 1) -> Path:
    """One layer of 32 dimensions with a vocabulary of its own, trained for some seconds, as CrossEncoder.save does."""
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast, set_seed

    set_seed(1)
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", *_WORDS]))
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"))
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=4,
            intermediate_size=64, max_position_embeddings=32, num_labels=outputs, hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
    )  # fmt: skip
    if outputs == 1:
        pairs = [
            (asked, f"{how} {metal} {thing}", float((asked, metal) in {("moon", "silver"), ("sun", "gold")}))
            for asked in ("moon", "sun") for metal in ("silver", "gold")
            for how in ("old", "new", "small") for thing in ("ring", "chain")
        ]  # fmt: skip
        asked, read, wanted = zip(*pairs, strict=True)
        batch = tokenizer(list(asked), list(read), padding=True, return_tensors="pt")
        optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
        for _ in range(150):
            optimiser.zero_grad()
            logits = model(**batch).logits[:, 0]
            torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.tensor(wanted)).backward()
            optimiser.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    CrossEncoder(str(folder), device="cpu", local_files_only=True).save(str(folder))
    return folder
