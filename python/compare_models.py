"""Whether a fused model is what base and adapter are together.

    python compare_models.py BASE ADAPTER FUSED

Prints one JSON line: for a few prompts the largest difference between the next-token log-probabilities of base with
adapter and of the fused model, and between base with adapter and base alone, and whether the likeliest token agrees.
"""

import json
import sys

PROMPTS = (
    "The capital of France is",
    "def add(a, b):\n    return",
    "What is the weather in Oslo?",
    "1, 2, 3, 4,",
)


def distributions(path, adapter=None):
    import mlx.core as mx
    from mlx_lm import load

    model, tokenizer = load(path, adapter_path=adapter)
    rows = []
    for prompt in PROMPTS:
        if getattr(tokenizer, "chat_template", None):
            tokens = tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=False
            )
        else:
            tokens = tokenizer.encode(prompt)
        logits = model(mx.array([tokens]))[0, -1].astype(mx.float32)
        rows.append(logits - mx.logsumexp(logits))
        mx.eval(rows[-1])
    return rows


def largest(first, second):
    return max(float(abs(a - b).max().item()) for a, b in zip(first, second))


def main():
    base_path, adapter, fused_path = sys.argv[1:4]
    base = distributions(base_path)
    adapted = distributions(base_path, adapter)
    fused = distributions(fused_path)
    agree = sum(int(a.argmax().item() == b.argmax().item()) for a, b in zip(adapted, fused))
    print(
        json.dumps(
            {
                "prompts": len(PROMPTS),
                "adapter_to_fused": largest(adapted, fused),
                "adapter_to_base": largest(adapted, base),
                "fused_to_base": largest(fused, base),
                "agree": agree,
            }
        )
    )


if __name__ == "__main__":
    main()
