"""YAML means here what it means to Ruby's Psych, which GitLab reads its files with.

Some thousand plain scalars and whole documents, made from a fixed seed, are read by both. Ruby is among the packages
that tests need.
"""

import os
import random
import subprocess
import unittest

from psych_documents import documents

PROGRAM = os.environ["SLIPWAY_SCALARS"]
TREES = os.environ["SLIPWAY_TREES"]

RUBY = r"""
require 'yaml'
STDIN.each_line(chomp: true) do |text|
  begin
    value = Psych.safe_load("- " + text, permitted_classes: [Symbol])[0]
    kind = case value
           when nil then 'null'
           when true, false then 'bool'
           when Integer then 'integer'
           when Float then 'float'
           else 'string'
           end
    puts "#{kind} #{value}"
  rescue Psych::DisallowedClass
    puts 'error'
  rescue Psych::SyntaxError
    puts 'syntax'
  end
end
"""

# Prints what show_tree.cpp prints. Limits on recursion are ours alone, so an alias inside its own anchor is refused.
RUBY_TREES = r"""
require 'yaml'
require 'json'
def word(value)
  case value
  when nil then 'n'
  when true, false then "b#{value}"
  when Integer then "i#{value}"
  when Float then "f#{value}"
  when Symbol, String then "s#{value}"
  else raise 'no plain key'
  end
end
def shown(value)
  case value
  when Array then value.map { |item| shown(item) }
  when Hash then { 'map' => value.map { |key, item| [word(key), shown(item)] } }
  else word(value)
  end
end
STDIN.read.split("%%%%\n").each do |text|
  begin
    Psych.parse_stream(text)  # loading looks at nothing that follows the document
    value = Psych.safe_load(text, permitted_classes: [Symbol], aliases: true)
    value = nil if value == false && text !~ /false/i
    puts JSON.generate(shown(value))
  rescue StandardError, SystemStackError
    puts 'refused'
  end
end
"""

FIXED = """yes no on off true false True TRUE yEs Yes y n Y N ~ null Null NULL nil
0 -0 +0 00 07 010 08 09 -010 0x1F 0X1F 0xg 0xFFFFFFFFFFFFFFFFFF 0b0 -0x10 -0b11 +010 0b11 0b2 0o10 +5 -5 5- 1_000 1__000 _1 1_ 1,000 ,1 1,
3.10 1.0 1. .5 . .. -.5 +.5 1.0.0 1e3 1E3 1.5e3 1.5e+3 1.5E-3 -1.5e3 1.e3 685_230.15 1_0.5_0
.inf -.inf +.inf .Inf .INF .nan .NaN .NAN inf nan
1:30 1:60 190:20:30 1:30:00 5432:5432 8080:30 0:0 -1:30 1:3 01:30 1:30.5 190:20:30.15 12:30:45.5 -0:30 -1:30.5 +1:30 1_0:30 1:30. 1:30.5_0
2020-01-01 2020-1-1 2020-13-45 2020-01-01T00:00:00Z 2001-12-14t21:59:43.10-05:00 20200101 2020-01
= << a 1a a1 1-1 v1.0 1.0a 12e 0x 0b 99999999999999999999 -99999999999999999999 0x7fffffffffffffffff
1e400 1.0e17 100000000000000000.0 0.0001 0.00001 123456789012345678.9 1.10 -0.0 0.1e1""".split()


def made(count):
    chance = random.Random(20260101)
    alphabet = "0123456789" * 3 + "+-._,:eExob" + "abf"
    texts = set()
    while len(texts) < count:
        text = "".join(chance.choice(alphabet) for _ in range(chance.randint(1, 7)))
        # What YAML does not read as one plain scalar is another matter.
        if not text.endswith(":") and text != "-" and not text.startswith("---"):
            texts.add(text)
    return sorted(texts)


class Scalars(unittest.TestCase):
    def test_plain_scalars_mean_what_they_mean_to_psych(self):
        texts = FIXED + made(3000)
        given = "\n".join(texts) + "\n"
        ours = subprocess.run([PROGRAM], input=given, capture_output=True, text=True, check=True)
        ruby = subprocess.run(["ruby", "-e", RUBY], input=given, capture_output=True, text=True,
                              check=True)
        pairs = list(zip(texts, ours.stdout.splitlines(), ruby.stdout.splitlines(), strict=True))
        compared = [pair for pair in pairs if pair[2] != "syntax"]
        self.assertGreater(len(compared), 400)
        different = [f"{text!r}: {our!r}, to Ruby {their!r}" for text, our, their in compared
                     if our.rstrip() != their.rstrip()]
        self.assertFalse(different, "\n" + "\n".join(different))

    def test_whole_documents_are_the_trees_that_psych_makes_of_them(self):
        texts = documents(4000)
        given = "%%%%\n".join(texts)
        ours = subprocess.run([TREES], input=given, capture_output=True, text=True, check=True).stdout.splitlines()
        ruby = subprocess.run(["ruby", "-e", RUBY_TREES], input=given, capture_output=True, text=True,
                              check=True).stdout.splitlines()
        self.assertEqual([len(ours), len(ruby)], [len(texts)] * 2)
        self.assertGreater(sum(line != "refused" for line in ruby), len(texts) * 3 // 4)
        different = [f"{text}\n  here: {our}\n  Ruby: {their}"
                     for text, our, their in zip(texts, ours, ruby) if our != their]
        self.assertFalse(different, f"{len(different)} differ\n" + "\n".join(different[:5]))


if __name__ == "__main__":
    unittest.main()
