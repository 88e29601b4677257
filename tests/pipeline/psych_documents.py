"""Whole YAML documents, made from a seed: mappings, sequences, anchors, merge keys, blocks, flow."""

import random

PLAIN = """a b1 yes no on Off true False TRUE ~ null Null 1 07 010 08 0x1F 0b11 +5 1_000 1,000 3.10 1. .5 1e3 1.0.0 1:30
8080:30 5432:5432 190:20:30 .inf -.inf :sym = y N nil text two-words a/b v1.2 $VAR ${X} x=1 'quoted' "double" "a\\tb" 'it''s'
"yes" '010' 2020-01-01x 12e03 -0 0.0 -1.50 1_0.5 0o10 <<x """.split()
KEYS = """a b c d script stage yes 10 010 1.5 ~ null "quoted" 'q' true on x.y a-b 'a_b' :sym""".split()
LINES = ["echo one", "if true; then", "  indented", "", "# not a comment", "a: b", "- c", "tab\there", "end  "]


class Maker:
    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.anchors = []   # (name, is_mapping)
        self.open = 0

    def pick(self, choices):
        return self.chance.choice(choices)

    def document(self):
        self.anchors = []
        lines = self.mapping(0, 0) if self.chance.random() < 0.85 else self.sequence(0, 0)
        head = self.pick(["", "", "", "---\n", "%YAML 1.1\n---\n", "# a comment\n"])
        text = head + "\n".join(lines) + "\n"
        # Now and then something is broken: both sides have to refuse it, or neither.
        if self.chance.random() < 0.05:
            at = self.chance.randrange(len(text))
            text = text[:at] + self.pick([":", "\t", "}", "[", "*x", "&", "\"", "- ", "@", "%", "  "]) + text[at:]
        return text

    def anchor(self, is_mapping):
        if self.chance.random() > 0.25:
            return None
        name = self.pick("xyzuvw")
        # Not to be named inside of what it marks.
        self.anchors = [known for known in self.anchors if known[0] != name]
        return name, is_mapping

    def remember(self, anchor):
        if anchor:
            self.anchors = [known for known in self.anchors if known[0] != anchor[0]] + [anchor]

    def alias(self, mappings_only=False):
        known = [name for name, is_mapping in self.anchors if is_mapping or not mappings_only]
        return "*" + self.pick(known) if known else None

    def scalar(self):
        return self.pick(PLAIN)

    def flow(self, depth):
        roll = self.chance.random()
        if depth > 2 or roll < 0.5:
            return self.pick([text for text in PLAIN if "," not in text])
        if roll < 0.75:
            return "[" + ", ".join(self.flow(depth + 1) for _ in range(self.chance.randint(0, 3))) + "]"
        keys = [self.pick([key for key in KEYS if not key.startswith(":")]) for _ in range(self.chance.randint(0, 3))]
        return "{" + ", ".join(f"{key}: {self.flow(depth + 1)}" for key in keys) + "}"

    def block_scalar(self, indent):
        style = self.pick(["|", ">"]) + self.pick(["", "-", "+"])
        lines = [self.pick(LINES) for _ in range(self.chance.randint(1, 4))]
        if not lines[0] or lines[0].startswith(" "):
            lines[0] = "first"
        pad = " " * (indent + 2)
        return style, [pad + line if line else "" for line in lines]

    def value(self, prefix, indent, depth):
        """Lines of `prefix` (a key with its colon, or a dash) with a value behind it or below it."""
        roll = self.chance.random()
        if roll < 0.12 and self.alias():
            return [f"{prefix} {self.alias()}"]
        anchor = self.anchor(False)
        mark = f" &{anchor[0]}" if anchor else ""
        if roll < 0.15:
            self.remember(anchor)
            return [prefix + mark]
        if roll < 0.50 or depth > 3:
            self.remember(anchor)
            tag = self.pick(["", "", "", "", "", " !custom", " !!str", " !"])
            return [f"{prefix}{mark}{tag} {self.scalar()}"]
        if roll < 0.60:
            style, lines = self.block_scalar(indent)
            self.remember(anchor)
            return [f"{prefix}{mark} {style}"] + lines
        if roll < 0.70:
            text = self.flow(0)
            self.remember((anchor[0], text.startswith("{")) if anchor else None)
            return [f"{prefix}{mark} {text}"]
        if roll < 0.74:
            self.remember(anchor)
            return [f"{prefix}{mark} several words", " " * (indent + 3) + "over lines"]
        if roll < 0.90:
            lines = self.mapping(indent + 2, depth + 1)
            self.remember((anchor[0], True) if anchor else None)
        else:
            lines = self.sequence(indent + 2, depth + 1)
            self.remember(anchor)
        return [prefix + mark] + lines

    def merge(self, pad):
        known = [name for name, is_mapping in self.anchors if is_mapping]
        roll = self.chance.random()
        key = self.pick(["<<", "<<", "<<", '"<<"'])
        if not known or roll < 0.1:
            return f"{pad}{key}: {self.pick(['x', '{a: 1, b: 2}', '[{a: 1}, {a: 2, c: 3}]', '[]', '[1]', '~'])}"
        if roll < 0.7:
            return f"{pad}{key}: *{self.pick(known)}"
        return f"{pad}{key}: [{', '.join('*' + self.pick(known) for _ in range(self.chance.randint(1, 3)))}]"

    def mapping(self, indent, depth):
        pad = " " * indent
        lines = []
        for _ in range(self.chance.randint(1, 5)):
            if self.chance.random() < 0.15:
                lines.append(self.merge(pad))
            else:
                lines += self.value(f"{pad}{self.pick(KEYS)}:", indent, depth)
        return lines

    def sequence(self, indent, depth):
        pad = " " * indent
        lines = []
        for _ in range(self.chance.randint(1, 4)):
            lines += self.value(pad + "-", indent, depth)
        return lines


def documents(count, seed=20260102):
    maker = Maker(seed)
    return [maker.document() for _ in range(count)]
