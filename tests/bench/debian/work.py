"""Fixed work for Debian's python3: text, dictionaries, classes, numbers, sorting, json."""

import hashlib
import json
import re


class Account:
    def __init__(self, name):
        self.name, self.total, self.entries = name, 0, []

    def book(self, amount):
        self.total += amount
        self.entries.append(amount)
        return self


def words():
    with open("corpus.txt", encoding="ascii") as file:
        return file.read()[:400000].split()


def count(all_words):
    counts = {}
    for word in all_words:
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def accounts(all_words):
    book = {}
    for number, word in enumerate(all_words):
        book.setdefault(word[:2], Account(word[:2])).book(number % 97 - 48)
    return [(a.name, a.total, len(a.entries)) for a in book.values()]


def queens(size, row=0, columns=0, up=0, down=0):
    if row == size:
        return 1
    found, free = 0, ~(columns | up | down) & (1 << size) - 1
    while free:
        bit = free & -free
        free ^= bit
        found += queens(size, row + 1, columns | bit, (up | bit) << 1, (down | bit) >> 1)
    return found


def digits_of_e(n):
    total, term, k = 10**n, 10**n, 1
    while term:
        term //= k
        total += term
        k += 1
    return str(total)


def main():
    all_words = words()
    result = [count(all_words)[:50], accounts(all_words), queens(7), digits_of_e(1200)[-40:],
              len(re.findall(r"\b[a-m]\w*[n-z]\b", " ".join(all_words)))]
    text = json.dumps(result)
    assert json.loads(text)[2] == 40
    print(hashlib.md5(text.encode()).hexdigest())


main()
