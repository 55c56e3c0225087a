"""Calls of verbs and built-in functions, and catch expressions.

A call that can run other code, or look at the counter, ends a run of operations:
the ticks so far are written to the VM before it, and a region begins behind it.
A *quick* function can do neither; it is called directly, through a name that
protection of the function replaces (`Tiering.load_protection`).
"""

from __future__ import annotations

from typing import Any, Final

from pymoo.interp import inline
from pymoo.interp.codegen_expressions import ExpressionWriter, register
from pymoo.interp.emitter import Point
from pymoo.interp.kinds import (
    ANY,
    ERR,
    FLOAT,
    INT,
    KIND_OF,
    LIST,
    OBJ,
    RESULTS,
    STR,
)
from pymoo.lang import nodes as n
from pymoo.lang.names import (
    SLOT_ERR,
    SLOT_FLOAT,
    SLOT_INT,
    SLOT_LIST,
    SLOT_NUM,
    SLOT_OBJ,
    SLOT_STR,
)

HANDLED: Final = "except (MooError, Unwinding) as error:"
"""What a MOO handler may catch."""


class CallWriter(ExpressionWriter):
    """Writes what calls or catches."""

    # How many slots of `Activation.stack` the open handlers take; generated code
    # has nothing else there.
    marks = 0
    # What stands on that stack before: in a loop's own function, a name.
    base = ""

    # --- verbs ------------------------------------------------------------

    def write_VerbCall(self, node: n.VerbCall, into: str) -> str:
        object_ = self.operand(node.object, node.name, *node.arguments)
        self.stack.append(object_)
        name = self.operand(node.name, *node.arguments)
        self.stack.append(name)
        arguments = self.items(node.arguments)
        del self.stack[-2:]
        self.out.tick()
        return self._call(
            node, f"call_verb(act, {object_}, {name}, {arguments})", arguments, into
        )

    def _call(self, node: n.Expression, text: str, arguments: str, into: str) -> str:
        """Write a call that ends the run of operations."""
        name = into or self.new_name()
        at, self.at = self.at, node
        self.out.line("vm.ticks = t")
        self.out.line(f"act.at = {self.place(node)}")
        stack = self.stack_text()
        self.out.line(
            f"{name} = {text}",
            self.failing(node, is_counted=True, stack=stack, arguments=arguments),
        )
        self.out.line("t = vm.ticks")
        self.out.region(
            self.point(is_counted=True, stack=stack, way="value", value=name)
        )
        self.at = at
        return name

    # --- built-in functions -----------------------------------------------

    def write_FunctionCall(self, node: n.FunctionCall, into: str) -> str:
        if self._is_quick(node):
            return self._quick(node, into)
        builtin = self.functions[node.name]
        arguments = self.items(node.arguments)
        self.out.tick()
        if builtin.is_quick and not self.is_protected(node.name):
            # As many arguments as there will be, perhaps not as many as there must.
            point = self.quick_call_point(node, arguments)
            name = into or self.new_name()
            slot = f"b_{node.name}"
            self.out.line(f"act.at = {self.place(node)}")
            self.out.line(f"{name} = {slot}(act, {arguments})", point)
            return name
        if node.name == "ticks_left" and self._is_ticks_left(node):
            return self._ticks_left(node, into)
        if node.name == "pass" and not self.is_protected("pass"):
            return self._call(node, f"f_pass(act, {arguments})", arguments, into)
        if node.name in RESULTS and not self.is_protected(node.name):
            # What follows counts on the type of its value.
            text = f"f_{node.name}(act, {arguments})"
            return self._call(node, text, arguments, into)
        return self._call(
            node,
            f"call_function(act, {node.name!r}, {arguments})",
            arguments,
            into,
        )

    def _is_ticks_left(self, node: n.FunctionCall) -> bool:
        return not node.arguments and not self.is_protected("ticks_left")

    def _ticks_left(self, node: n.FunctionCall, into: str) -> str:
        """Write ticks_left(): the counter is exact where a block of ticks ends."""
        name = into or self.new_name()
        self.out.line(f"{name} = q_ticks_left(vm, t)", self.quick_point(node, []))
        self.out.block = None
        return name

    def _is_quick(self, node: n.FunctionCall) -> bool:
        """Whether the function can be called directly with these arguments."""
        builtin = self.functions[node.name]
        count = len(node.arguments)
        return (
            builtin.is_quick
            # What is wrong with an argument is told by the function's own check.
            and not builtin.explains
            and not self.is_protected(node.name)
            and not any(type(item) is n.Splice for item in node.arguments)
            and count >= builtin.least
            and (builtin.most is None or count <= builtin.most)
        )

    def _arguments(self, node: n.FunctionCall) -> list[str]:
        """Write the arguments, and the tests of their types; return their atoms."""
        atoms: list[str] = []
        for position, item in enumerate(node.arguments):
            value: Any = item
            if position:
                self.stack.append(f"[{', '.join(atoms)}]")
            atoms.append(self.operand(value, *node.arguments[position + 1 :]))
            if position:
                self.stack.pop()
            else:
                self.out.tick()
        self.out.tick()
        builtin = self.functions[node.name]
        for atom, value, types in zip(
            atoms, node.arguments, builtin.checked_types, strict=False
        ):
            if not types:
                continue
            allowed = 0
            for each in types:
                allowed |= KIND_OF[each]
            if self.kinds.of(value) & ANY & ~allowed:
                names = [kind.__name__ for kind in types]
                if len(names) == 1:
                    test = f"type({atom}) is not {names[0]}"
                else:
                    test = f"type({atom}) not in ({', '.join(names)})"
                # A protected function may take anything.
                refusal = f"w_{node.name}"
                self.out.line(f"if {test}: {refusal}()", self.quick_point(node, atoms))
        return atoms

    def quick_point(self, node: n.FunctionCall, atoms: list[str]) -> Point:
        """Return the point of a quick call, should the function be protected now."""
        comma = "," if len(atoms) == 1 else ""
        return self.quick_call_point(node, f"({', '.join(atoms)}{comma})")

    def quick_call_point(self, node: n.FunctionCall, arguments: str) -> Point:
        """Return that point; ``arguments`` are all, as the text of a tuple."""
        at, self.at = self.at, node
        point = self.failing(node, stack=self.stack_text(), arguments=arguments)
        self.at = at
        return point

    def _quick(self, node: n.FunctionCall, into: str) -> str:
        text = self._known(node)
        if text is not None:
            return self.truth_value(text, into) if " " in text else text
        builtin = self.functions[node.name]
        atoms = self._arguments(node)
        point = self.quick_point(node, atoms)
        name = into or self.new_name()
        function = f"f_{node.name}"
        if not builtin.is_pure:
            self.out.line(f"act.at = {self.place(node)}")
            self.out.line("call.programmer = act.programmer")
            atoms = ["call", *atoms]
        elif builtin.is_metered:
            atoms = ["vm", *atoms]
        self.out.line(f"{name} = {function}({', '.join(atoms)})", point)
        return name

    def condition_FunctionCall(self, node: n.FunctionCall) -> str | None:
        return self._known(node) if self._is_quick(node) else None

    def _known(self, node: n.FunctionCall) -> str | None:
        """Write a call of a function that Python knows by itself.

        Returns a name or, with a blank in it, a condition; None for other calls.
        """
        name = node.name
        if name not in ("length", "valid") or not node.arguments:
            return None
        kind = self.kinds.of(node.arguments[0]) & ANY
        if name == "length" and kind and not kind & ~(LIST | STR):
            result = self.new_name()
            atoms = self._arguments(node)
            self.out.line(
                f"{result} = q_length({atoms[0]})", self.quick_point(node, atoms)
            )
            return result
        if name == "valid":
            atoms = self._arguments(node)
            result = self.new_name()
            self.out.line(
                f"{result} = q_valid({atoms[0]})", self.quick_point(node, atoms)
            )
            return f"{result} is not None"
        return None

    # --- types ------------------------------------------------------------

    def type_comparison(self, node: n.Binary) -> str | None:
        """Write ``typeof(x) == STR`` as a test of the type itself.

        None if this is not one.
        """
        call, constant = node.left, node.right
        if (
            type(call) is not n.FunctionCall
            or call.name != "typeof"
            or not self._is_quick(call)
            or type(constant) is not n.Variable
            or constant.slot not in _TYPE_SLOTS
            or constant.slot >= self.built_in
            or constant.slot in self.assigned_anywhere
        ):
            return None
        atoms = self._arguments(call)
        name = self.new_name()
        self.out.line(f"{name} = q_typeof({atoms[0]})", self.quick_point(call, atoms))
        self.out.tick()
        python = inline.PYTHON_TYPES[_TYPE_SLOTS[constant.slot]]
        sign = "is" if type(node) is n.Equal else "is not"
        return f"{name} {sign} {python}"

    def condition_Equal(self, node: n.Binary) -> str | None:
        text = self.type_comparison(node)
        return self.comparison(node) if text is None else text

    condition_NotEqual = condition_Equal

    def write_Equal(self, node: n.Binary, into: str) -> str:
        text = self.type_comparison(node)
        if text is None:
            return self.write_Binary(node, into)
        return self.truth_value(text, into)

    write_NotEqual = write_Equal

    # --- catch ------------------------------------------------------------

    def write_Catch(self, node: n.Catch, into: str) -> str:
        codes = self.codes(node.codes)
        result = self.new_name()
        self.out.tick()
        unwinding = self.begin_handlers([(codes, node)])
        before = self.out.fork()
        stores = self.stores
        with self.out.indented("try:"):
            self.expression(node.body, result)
            done = self.out.fork()
        self.end_handlers(unwinding, [(codes, node)], stores)
        self.out.join(before)
        with self.out.indented(f"if {unwinding} is not None:"):
            self.out.line("t = vm.ticks")
            code = self.new_name()
            self.out.line(
                f"{code} = code_caught({unwinding}, {codes}, vm)",
                self.point(is_counted=True),
            )
            self.out.line(f"{unwinding} = None")
            if node.default is None:
                self.out.region(
                    self.point(
                        is_counted=True,
                        stack=self.stack_text(),
                        way="code",
                        value=code,
                        target=node,
                    )
                )
                self.out.tick()
                self.out.line(f"{result} = {code}")
            else:
                self.out.region(
                    self.point(
                        is_counted=True,
                        stack=self.stack_text(),
                        way="default",
                        target=node,
                    )
                )
                self.expression(node.default, result)
            handled = self.out.fork()
        self.out.join(done, handled)
        return result

    def codes(self, codes: n.Items | None) -> str:
        """Write a code list; return the name that it is under."""
        name = self.new_name("c")
        text = "0" if codes is None else self.items(codes)
        self.out.line(f"{name} = {text}")
        if codes is not None and any(type(item) is n.Splice for item in codes):
            # Every error is looked for in it.
            self.out.line(f"vm.copied(len({name}))", self.point())
        return name

    def begin_handlers(self, arms: list[tuple[str, n.Node]]) -> str:
        """Put the marks of handlers on the activation's stack."""
        self.has_handlers = True
        unwinding = self.new_name("e")
        marks: list[str] = []
        for codes, node in arms:
            marks += (codes, self.node_name(node))
        marks.append(self.constant("marker", len(arms)))
        self.out.line(f"{unwinding} = None")
        self.out.line(f"S += ({', '.join(marks)})")
        self.stack += marks
        self.marks += len(marks)
        return unwinding

    def end_handlers(
        self, unwinding: str, arms: list[tuple[str, n.Node]], stores: int
    ) -> None:
        """Write the Python handler, and take the marks off again on both ways.

        ``stores`` is what `stores` was before the body.
        """
        with self.out.indented(HANDLED):
            is_seen = any(
                type(arm) is n.ExceptArm and arm.slot is not None for _, arm in arms
            )
            self.caught(unwinding, stores, [codes for codes, _ in arms], is_seen)
        count = 2 * len(arms) + 1
        del self.stack[-count:]
        self.marks -= count
        self.cut_marks(self.marks)

    def caught(
        self, unwinding: str, stores: int, codes: list[str], is_seen: bool
    ) -> None:
        """Write the decision about an error that came out of a body."""
        names = "None" if stores == self.stores else "locals()"
        lists = "".join(f"{each}, " for each in codes).rstrip()
        self.out.line(
            f"{unwinding} = caught(act, error, t, CODE, {names}, ({lists}), {is_seen})",
            # The time may be over while a code is looked for; `caught` tells where.
            Point(None, is_counted=True),
        )

    def cut_marks(self, marks: int) -> None:
        """Write what leaves the first ``marks`` marks alone on the stack."""
        self.out.line(f"del S[{self.base}{' + ' if self.base else ''}{marks}:]")


# The variables that hold the codes of types, unless a program sets them, or has its
# own in their place as its version of the language has not got them.
_TYPE_SLOTS: Final = {
    SLOT_NUM: INT,
    SLOT_OBJ: OBJ,
    SLOT_STR: STR,
    SLOT_LIST: LIST,
    SLOT_ERR: ERR,
    SLOT_INT: INT,
    SLOT_FLOAT: FLOAT,
}

register(CallWriter)
