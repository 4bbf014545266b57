"""Looks at an account without changing it: what a sync will cost, and whether the facts hold.

`estimate.py` and `rehearsal.py` are `tap-freshbooks estimate`; all else is `tap-freshbooks doctor`,
which holds an account against what is known about FreshBooks.

`questions.py` lists the facts and the open questions: what each is, which answers are possible, and
where it is written. `checks/` finds the answers, `evidence.py` sends the requests (each once,
whichever checks need the answer), `examination.py` goes through the checks, `findings.py` is what
comes out.

A new check:

1. Its question in `questions.py`; the first of its values is what the tap goes by. The sandbox has
   a behaviour of the same name with the same values (`freshbooks_sandbox/behaviours.py`); a test
   compares them.
2. A class in a module of `checks/`: a `StreamCheck` for what a list says, a `ConnectionCheck` for
   what concerns no list. `applies` chooses its subjects (a stream in a business), `asks` names the
   requests that are known beforehand, `follow_ups` how many more follow from their answers: the
   command says how many requests it needs before it sends any, so that a check which sends another
   fails a test. `judge` looks at the answers and returns `self.found(value, detail)`, or raises
   `NotTestedError` where they do not tell.
3. Its instance in `CHECKS` of `checks/__init__.py`, those that need no request of their own first.
4. In `tests/doctor/test_behaviours.py` what the sandbox needs for it to be seen, if anything; the
   behaviour is switched on there without being named.

Where a stream class holds a fact (path, envelope, includes, filter, keys, fields and their zone), a
check asks the class. Details are sentences of our own: never a value, an id or a text of the
account.
"""
