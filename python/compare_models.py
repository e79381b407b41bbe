"""Whether a fused model is what base and adapter are together.

    python compare_models.py BASE ADAPTER FUSED

Prints one JSON line. The distance of two models is taken over the next-token distributions at all places of a few
prompts: the root of the mean squared difference of their log-probabilities, weighted by the first one's probability
(nats), so that tokens which neither would choose do not count.
"""

import json
import sys

PROMPTS = (
    "The capital of France is",
    "def add(a, b):\n    return",
    "What is the weather in Oslo?",
    "1, 2, 3, 4,",
)


def tokens_of(tokenizer, prompt):
    if getattr(tokenizer, "chat_template", None):
        return tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=False
        )
    return tokenizer.encode(prompt)


def distributions(path, adapter=None):
    """Log-probabilities at every place of each prompt."""
    import mlx.core as mx
    from mlx_lm import load

    model, tokenizer = load(path, adapter_path=adapter)
    rows = []
    for prompt in PROMPTS:
        logits = model(mx.array([tokens_of(tokenizer, prompt)]))[0].astype(mx.float32)
        rows.append(logits - mx.logsumexp(logits, axis=-1, keepdims=True))
        mx.eval(rows[-1])
    return rows


def distance(first, second):
    import mlx.core as mx

    total = places = 0
    for a, b in zip(first, second):
        total += (mx.exp(a) * (a - b) ** 2).sum().item()
        places += a.shape[0]
    return (total / places) ** 0.5


def main():
    import mlx.core as mx

    base_path, adapter, fused_path = sys.argv[1:4]
    base = distributions(base_path)
    adapted = distributions(base_path, adapter)
    fused = distributions(fused_path)
    agree = sum(int(a[-1].argmax().item() == b[-1].argmax().item()) for a, b in zip(adapted, fused))
    largest = max(float(abs(mx.exp(a) - mx.exp(b)).max().item()) for a, b in zip(adapted, fused))
    print(
        json.dumps(
            {
                "prompts": len(PROMPTS),
                "agree": agree,
                "adapter_to_fused": distance(adapted, fused),
                "adapter_to_base": distance(adapted, base),
                "fused_to_base": distance(fused, base),
                "largest": largest,
            }
        )
    )


if __name__ == "__main__":
    main()
