"""MOO source text to a `Program`, with the C server's messages where it is none.

The automaton of `grammar` is run the way yacc runs one, see there.  Nodes are
built as rules are completed, without a tree in between; what has to be known from
the middle of a construct on (loops, brackets) hangs on the ``..._head`` rules.

A message is reported with the line that the lexer had reached then: the parser
looks at the next token only in states where it must, so that this line is the C
server's.

Source: parser.y.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import itemgetter
from typing import Any, Final, TypeAlias

from pymoo.errors import MooSyntaxError
from pymoo.lang import nodes as n
from pymoo.lang.grammar import ACCEPT, grammar
from pymoo.lang.lexer import Lexicon, lexicon
from pymoo.lang.names import CURRENT_VERSION, Loops, Names
from pymoo.lang.program import Program
from pymoo.values import (
    ERROR_CODES,
    STEPS_PER_REPORT,
    SYSTEM_OBJECT,
    UNMETERED,
    Meter,
    Obj,
    fold,
)

# What reading a token and building its part of the tree costs.
STEPS_PER_TOKEN: Final = 8
_TOKENS_PER_REPORT: Final = STEPS_PER_REPORT // STEPS_PER_TOKEN

MAX_HEIGHT: Final = 9_999
"""How many symbols are too many for the C server's parser (bison's YYMAXDEPTH)."""

MAX_TARGETS: Final = 255
MAX_EXCEPT_ARMS: Final = 255

_ERRORS = {fold(code.name): code for code in ERROR_CODES}
_QUOTED = re.compile(r"\\(.)")

# What a rule builds stands on the stack of the parser; only the reader of a rule
# knows its type, so they are checked by the tests and not by mypy.
_Value: TypeAlias = Any


def parse_program(
    source: str,
    *,
    functions: Mapping[str, str],
    version: int = CURRENT_VERSION,
    width: int = 32,
    warn: Callable[[str], None] | None = None,
    meter: Meter = UNMETERED,
    line_comments: bool = False,
    byte_text: bool = True,
) -> Program:
    """Return the program that ``source`` is; each of its lines ends with a newline.

    ``functions`` gives the proper names of the built-in functions by their folded
    ones, ``version`` the keywords and variables, ``width`` the bits of an INT.
    With ``warn``, as for a program from a database, unknown functions are called by
    ``call_function()`` and newer keywords are renamed, and it is told so; without,
    both are errors.  ``meter`` is told of the tokens that are read.

    ``line_comments`` allows ``//``.  ``byte_text`` says that a character is a byte:
    the C server then takes one above 127 for the end of the program, unless that is
    in a string or comes from a file.

    Raises: MooSyntaxError with all messages, in the C server's order.
    """
    parser = _Parser(
        source,
        lexicon(
            version,
            line_comments=line_comments,
            byte_ends=byte_text and warn is None and not source.isascii(),
        ),
        functions,
        Names(version),
        width,
        warn,
        meter,
    )
    body = parser.run()
    if parser.errors or body is None:
        raise MooSyntaxError(parser.errors)
    if parser.renames:
        parser.names.rename_keywords(set(lexicon(CURRENT_VERSION).keywords))
    program = Program(
        body=body,
        names=tuple(parser.names.spellings),
        forks=tuple(parser.forks),
        version=version,
    )
    _settle_zeros(program, parser.zeros)
    return program


def _settle_zeros(program: Program, zeros: list[n.Literal]) -> None:
    """Give all literal zeros of a program the sign of the first.

    The C server keeps equal literals once, and 0.0 and -0.0 are equal.

    Source: code_gen.c, add_literal.
    """
    if len({str(zero.value) for zero in zeros}) < 2:
        return
    first = next(
        value
        for value in program.classic.literals
        if type(value) is float and value == 0.0
    )
    for zero in zeros:
        # Nobody has seen the node yet.
        object.__setattr__(zero, "value", first)


class _Parser:
    """One run of the automaton, and what it builds.

    A method ``make_...`` completes the rule, or the alternative of a rule, that
    has the rest of its name; where there is none, the node of that name is made.
    """

    def __init__(
        self,
        source: str,
        lexicon: Lexicon,
        functions: Mapping[str, str],
        names: Names,
        width: int,
        warn: Callable[[str], None] | None,
        meter: Meter,
    ) -> None:
        self.source = source
        self.lexicon = lexicon
        self.functions = functions
        self.names = names
        self.width = width
        self.warn = warn
        self.meter = meter
        self.errors: list[str] = []
        self.forks: list[n.Fork] = []
        self.zeros: list[n.Literal] = []
        self.renames = False
        self.loops = Loops()
        self.brackets = 0  # how many are open in which $ is a length
        self.tokens_read = 0
        self.token_lines: list[int] | None = None  # made for the first message

    # --- the automaton ----------------------------------------------------

    def run(self) -> n.Block | None:
        """Return the statements of the program, or None after a syntax error."""
        made = grammar()
        shifts, gotos, reductions = made.shifts, made.gotos, made.reductions
        rules = _rules()
        texts = self.lexicon.texts(self.source, self.meter)
        terminals = self.lexicon.terminals.copy()
        states = [0]
        values: list[_Value] = []
        state = height = read = 0
        terminal: int | None = None  # of the token looked at, if one is
        target: int | None = None
        text = ""
        while True:
            moves = shifts[state]
            if moves:
                if terminal is None:
                    text = texts[read]
                    read += 1
                    if not read % _TOKENS_PER_REPORT:
                        self.meter.spend(STEPS_PER_REPORT)
                    terminal = terminals.get(text)
                    if terminal is None:
                        self.tokens_read = read
                        terminal = self._classify(text, terminals)
                target = moves.get(terminal)
                if target is not None:
                    if target < 0:
                        break
                    state = target
                    states.append(state)
                    values.append(text)
                    terminal = None
                    height += 1
                    if height >= MAX_HEIGHT:
                        break
                    continue
            number = reductions[state]
            if number is None:
                target = None
                break
            symbol, length, growth, count, operands, build, is_method = rules[number]
            if build is None:
                if length == 1:
                    state = gotos[states[-2]][symbol]
                    states[-1] = state
                    continue
                value = operands(values)
            else:
                self.tokens_read = read
                if is_method:
                    if count > 1:
                        value = build(self, *operands(values))
                    elif count:
                        value = build(self, operands(values))
                    else:
                        value = build(self)
                elif count > 1:
                    value = build(*operands(values))
                elif count:
                    value = build(operands(values))
                else:
                    value = build()
            if length:
                del values[-length:]
                del states[-length:]
            values.append(value)
            state = gotos[states[-1]][symbol]
            states.append(state)
            height += growth
            if growth > 0 and height >= MAX_HEIGHT:
                break
        self.tokens_read = read
        self.meter.spend(read % _TOKENS_PER_REPORT * STEPS_PER_TOKEN)
        if target == ACCEPT:
            block: n.Block = values[0]
            return block
        self._error("memory exhausted" if height >= MAX_HEIGHT else "syntax error")
        return None

    def _classify(self, text: str, terminals: dict[str, int]) -> int:
        """Return the terminal that a text is, and remember it if all is well."""
        terminal, complaint = self.lexicon.classify(text)
        if complaint is not None:
            self._error(complaint)
            return terminal
        if fold(text) in self.lexicon.future_keywords:
            if not self.renames:
                self._warning(f"Renaming old use of new keyword: {text}")
            self.renames = True
        terminals[text] = terminal
        return terminal

    # --- messages ---------------------------------------------------------

    def _line(self, message: str) -> str:
        if self.token_lines is None:
            self.token_lines = list(self.lexicon.lines(self.source))
        return f"Line {self.token_lines[self.tokens_read - 1]}:  {message}"

    def _error(self, message: str) -> None:
        self.errors.append(self._line(message))

    def _warning(self, message: str) -> None:
        if self.warn is None:
            self._error(message)
        else:
            self.warn(self._line(message))

    # --- statements -------------------------------------------------------

    def make_program(self, statements: list[n.Statement]) -> n.Block:
        return tuple(statements)

    def make_no_statements(self) -> list[n.Statement]:
        return []

    def make_one_more_statement(
        self, statements: list[n.Statement], statement: n.Statement | None
    ) -> list[n.Statement]:
        if statement is not None:
            statements.append(statement)
        return statements

    def make_empty_statement(self) -> None:
        return None

    def make_return(self, value: n.Expression | None = None) -> n.Return:
        return n.Return(value)

    def make_if(
        self,
        condition: n.Expression,
        statements: list[n.Statement],
        elseifs: list[n.IfArm],
        otherwise: list[n.Statement],
    ) -> n.If:
        first = n.IfArm(condition, tuple(statements))
        return n.If((first, *elseifs), tuple(otherwise))

    def make_no_elseifs(self) -> list[n.IfArm]:
        return []

    def make_one_more_elseif(
        self,
        arms: list[n.IfArm],
        condition: n.Expression,
        statements: list[n.Statement],
    ) -> list[n.IfArm]:
        arms.append(n.IfArm(condition, tuple(statements)))
        return arms

    def make_for_list_head(
        self, name: str, items: n.Expression
    ) -> tuple[str, n.Expression]:
        self.loops.enter(name)
        return name, items

    def make_for_list(
        self, head: tuple[str, n.Expression], statements: list[n.Statement]
    ) -> n.ForList:
        name, items = head
        self.loops.leave()
        return n.ForList(self.names.find_or_add(name), items, tuple(statements))

    def make_for_range_head(
        self, name: str, start: n.Expression, end: n.Expression
    ) -> tuple[str, n.Expression, n.Expression]:
        self.loops.enter(name)
        return name, start, end

    def make_for_range(
        self,
        head: tuple[str, n.Expression, n.Expression],
        statements: list[n.Statement],
    ) -> n.ForRange:
        name, start, end = head
        self.loops.leave()
        return n.ForRange(self.names.find_or_add(name), start, end, tuple(statements))

    def make_while_head(self, condition: n.Expression) -> tuple[None, n.Expression]:
        self.loops.enter()
        return None, condition

    def make_named_while_head(
        self, name: str, condition: n.Expression
    ) -> tuple[str, n.Expression]:
        self.loops.enter(name)
        return name, condition

    def make_while(
        self, head: tuple[str | None, n.Expression], statements: list[n.Statement]
    ) -> n.While:
        name, condition = head
        self.loops.leave()
        return n.While(self._slot(name), condition, tuple(statements))

    def make_fork_head(self, delay: n.Expression) -> tuple[None, n.Expression]:
        self.loops.enter_fork()
        return None, delay

    def make_named_fork_head(
        self, name: str, delay: n.Expression
    ) -> tuple[str, n.Expression]:
        self.loops.enter_fork()
        return name, delay

    def make_fork(
        self, head: tuple[str | None, n.Expression], statements: list[n.Statement]
    ) -> n.Fork:
        name, delay = head
        self.loops.leave_fork()
        fork = n.Fork(self._slot(name), delay, tuple(statements))
        self.forks.append(fork)
        return fork

    def _slot(self, name: str | None) -> int | None:
        return None if name is None else self.names.find_or_add(name)

    def make_break(self, name: str | None = None) -> n.LoopExit:
        return self._loop_exit(n.Break, "break", name)

    def make_continue(self, name: str | None = None) -> n.LoopExit:
        return self._loop_exit(n.Continue, "continue", name)

    def _loop_exit(
        self, kind: type[n.LoopExit], word: str, name: str | None
    ) -> n.LoopExit:
        levels = self.loops.levels(name)
        if levels is None:
            if name is None:
                self._error(f"No enclosing loop for `{word}' statement")
            else:
                self._error(f"Invalid loop name in `{word}' statement: {name}")
            levels = 0
        return kind(self._slot(name), levels)

    def make_first_except(self, arm: n.ExceptArm) -> list[n.ExceptArm]:
        return [arm]

    def make_next_except_head(self, arms: list[n.ExceptArm]) -> list[n.ExceptArm]:
        if arms[-1].codes is None:
            self._error("Unreachable EXCEPT clause")
        elif len(arms) > MAX_EXCEPT_ARMS:
            self._error("Too many EXCEPT clauses (max. 255)")
        return arms

    def make_one_more_except(
        self, arms: list[n.ExceptArm], arm: n.ExceptArm
    ) -> list[n.ExceptArm]:
        arms.append(arm)
        return arms

    def make_except_arm(
        self, name: str | None, codes: n.Items | None, statements: list[n.Statement]
    ) -> n.ExceptArm:
        return n.ExceptArm(self._slot(name), codes, tuple(statements))

    def make_except_name(self, name: str | None = None) -> str | None:
        return name

    def make_try_except(
        self, statements: list[n.Statement], arms: list[n.ExceptArm]
    ) -> n.TryExcept:
        return n.TryExcept(tuple(statements), tuple(arms))

    def make_try_finally(
        self, statements: list[n.Statement], handler: list[n.Statement]
    ) -> n.TryFinally:
        return n.TryFinally(tuple(statements), tuple(handler))

    # --- operators --------------------------------------------------------

    def make_assign(
        self, target: n.Expression, value: n.Expression
    ) -> n.Assign | n.Scatter:
        if type(target) is n.ListDisplay:
            if not target.items:
                self._error("Empty list in scattering assignment.")
            return self.make_scatter(self._plain_targets(target.items), value)
        base = target.base if type(target) is n.Range else target
        while type(base) is n.Index:
            base = base.base
        if type(base) is not n.Variable and type(base) is not n.Property:
            self._error("Illegal expression on left side of assignment.")
        return n.Assign(target, value)

    def make_negate(self, operand: n.Expression) -> n.Negate | n.Literal:
        if type(operand) is n.Literal:
            value = operand.value
            if type(value) is int:
                return n.Literal(self._wrap(-value))
            if type(value) is float:
                return self._float(-value)
        return n.Negate(operand)

    # --- postfix ----------------------------------------------------------

    def make_named_property(self, base: n.Expression, name: str) -> n.Property:
        return n.Property(base, n.Literal(name))

    def make_system_property(self, name: str) -> n.Property:
        return n.Property(n.Literal(SYSTEM_OBJECT), n.Literal(name))

    def make_verb_call(
        self, base: n.Expression, name: n.Expression, arguments: list[n.Item]
    ) -> n.VerbCall:
        return n.VerbCall(base, name, tuple(arguments))

    def make_named_verb_call(
        self, base: n.Expression, name: str, arguments: list[n.Item]
    ) -> n.VerbCall:
        return n.VerbCall(base, n.Literal(name), tuple(arguments))

    def make_system_verb_call(self, name: str, arguments: list[n.Item]) -> n.VerbCall:
        return n.VerbCall(n.Literal(SYSTEM_OBJECT), n.Literal(name), tuple(arguments))

    def make_index_head(self, base: n.Expression) -> n.Expression:
        self.brackets += 1
        return base

    def make_index(self, base: n.Expression, index: n.Expression) -> n.Index:
        self.brackets -= 1
        return n.Index(base, index)

    def make_range(
        self, base: n.Expression, start: n.Expression, end: n.Expression
    ) -> n.Range:
        self.brackets -= 1
        return n.Range(base, start, end)

    # --- atoms ------------------------------------------------------------

    def make_integer_literal(self, text: str) -> n.Literal:
        return n.Literal(self._integer(text))

    def make_float_literal(self, text: str) -> n.Literal:
        return self._float(float(text))

    def make_string_literal(self, text: str) -> n.Literal:
        text = text[1:-1]
        return n.Literal(_QUOTED.sub(r"\1", text) if "\\" in text else text)

    def make_object_literal(self, text: str) -> n.Literal:
        if text[1] == "-":
            return n.Literal(Obj(self._wrap(-self._integer(text[2:]))))
        return n.Literal(Obj(self._integer(text[1:])))

    def make_error_literal(self, text: str) -> n.Literal:
        return n.Literal(_ERRORS[fold(text)])

    def _integer(self, digits: str) -> int:
        # Digit by digit, modulo a power of two: of a long number only the end
        # matters.
        return self._wrap(int(digits[-self.width :]))

    def _wrap(self, value: int) -> int:
        half = 1 << self.width - 1
        return (value + half) % (2 * half) - half

    def _float(self, value: float) -> n.Literal:
        literal = n.Literal(value)
        if value == 0.0:
            self.zeros.append(literal)
        return literal

    def make_variable(self, name: str) -> n.Variable:
        return n.Variable(self.names.find_or_add(name))

    def make_length(self) -> n.Length:
        if not self.brackets:
            self._error("Illegal context for `$' expression.")
        return n.Length()

    def make_function_call(self, name: str, arguments: list[n.Item]) -> n.FunctionCall:
        function = self.functions.get(fold(name))
        if function is None:
            self._warning(f"Unknown built-in function: {name}")
            return n.FunctionCall("call_function", (n.Literal(name), *arguments))
        return n.FunctionCall(function, tuple(arguments))

    def make_list_display(self, items: list[n.Item]) -> n.ListDisplay:
        return n.ListDisplay(tuple(items))

    def make_catch(
        self, body: n.Expression, codes: n.Items | None, default: n.Expression | None
    ) -> n.Catch:
        return n.Catch(body, codes, default)

    def make_no_default(self) -> None:
        return None

    # --- items and targets ------------------------------------------------

    def make_no_items(self) -> list[n.Item]:
        return []

    def make_first_item(self, item: n.Item) -> list[n.Item]:
        return [item]

    def make_one_more_item(self, items: list[n.Item], item: n.Item) -> list[n.Item]:
        items.append(item)
        return items

    def make_any_code(self) -> None:
        return None

    def make_codes(self, items: list[n.Item]) -> n.Items:
        return tuple(items)

    def make_scatter(self, targets: list[n.Target], value: n.Expression) -> n.Scatter:
        rests = sum(type(target) is n.Rest for target in targets)
        for _ in range(rests - 1):
            self._error("More than one `@' target in scattering assignment.")
        if len(targets) > MAX_TARGETS:
            self._error("Too many targets in scattering assignment.")
        return n.Scatter(tuple(targets), value)

    def make_first_target(self, target: n.Optional) -> list[n.Target]:
        return [target]

    def make_one_more_target(
        self, targets: list[n.Target], target: n.Target
    ) -> list[n.Target]:
        targets.append(target)
        return targets

    def make_targets_after_items(
        self, items: list[n.Item], target: n.Optional
    ) -> list[n.Target]:
        return [*self._plain_targets(items), target]

    def make_required(self, targets: list[n.Target], name: str) -> list[n.Target]:
        return self.make_one_more_target(
            targets, n.Required(self.names.find_or_add(name))
        )

    def make_rest(self, targets: list[n.Target], name: str) -> list[n.Target]:
        return self.make_one_more_target(targets, n.Rest(self.names.find_or_add(name)))

    def make_optional(
        self, name: str, default: n.Expression | None = None
    ) -> n.Optional:
        return n.Optional(self.names.find_or_add(name), default)

    def _plain_targets(self, items: Iterable[n.Item]) -> list[n.Target]:
        """Return the targets that the items of a list stand for, [] if they cannot."""
        targets: list[n.Target] = []
        for item in items:
            kind: type[n.Required | n.Rest] = n.Required
            if type(item) is n.Splice:
                kind, item = n.Rest, item.value
            if type(item) is not n.Variable:
                self._error("Scattering assignment targets must be simple variables.")
                return []
            targets.append(kind(item.slot))
        return targets


@cache
def _rules() -> tuple[tuple[Any, ...], ...]:
    """The rules as the automaton uses them.

    Each has its symbol, length and growth, the number of its operands and what
    takes them from the stack, what completes it, and whether that is a method.
    """
    return tuple(
        (
            rule.symbol,
            rule.length,
            rule.growth,
            len(rule.operands),
            itemgetter(*rule.operands) if rule.operands else None,
            *_builder(rule.action),
        )
        for rule in grammar().rules
    )


def _builder(action: str) -> tuple[Any, bool]:
    if not action:
        return None, False
    method = vars(_Parser).get(f"make_{action}")
    if method is not None:
        return method, True
    return getattr(n, action.title().replace("_", "")), False
