"""All the small ways in which a module may be broken: one change of its syntax tree each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
SHOWN_MAX = 110


@dataclass(frozen=True)
class Break:
    """One change: where, and what it did to the line. ``number`` and ``variant`` find it again."""

    module: str
    line: int
    change: str
    number: int
    variant: int

    @property
    def key(self) -> str:
        """The same break has the same key in another run."""
        return f"{self.module}: {self.change}"


def breaks_of(module: str, source: str) -> list[Break]:
    """Every break of a module, in the order of its text. Asserts and their like, annotations and docstrings are left alone."""
    lines = source.splitlines()
    found = []
    for number, node in enumerate(_nodes(ast.parse(source))):
        place = getattr(node, "lineno", 0)
        for variant in range(_variants(node)):
            alone = deepcopy(node)
            told = _broken(alone, alone, variant)
            if told is not None:
                text = f"{told} in `{lines[place - 1].strip()[:SHOWN_MAX]}`"
                found.append(Break(module, place, text, number, variant))
    return found


def broken(one: Break, source: str) -> str:
    """The whole module after a break of it."""
    tree = ast.parse(source)
    _broken(tree, list(_nodes(tree))[one.number], one.variant)
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """Nodes that decide something, in a fixed order."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from _inside(node)
        elif isinstance(node, ast.Assign):
            yield from _inside(node.value)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Assert | ast.Import | ast.ImportFrom) or _is_assertion(node):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "args", "bases", "keywords") and not isinstance(node, ast.Call):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _inside(child)


def _is_assertion(node: ast.AST) -> bool:
    """``strict=True`` and ``assert_never``: they say what cannot be."""
    if isinstance(node, ast.keyword):
        return node.arg == "strict"
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "assert_never"


def _variants(node: ast.AST) -> int:
    return len(node.ops) if isinstance(node, ast.Compare) else 1


def _broken(tree: ast.AST, node: ast.AST, variant: int) -> str | None:
    """Break the node in place; what was done, or None when nothing can be."""
    told = None
    match node:
        case ast.Compare():
            kind = SWAPS[type(node.ops[variant])]
            told = f"{type(node.ops[variant]).__name__} became {kind.__name__}"
            node.ops[variant] = kind()  # type: ignore[assignment]
        case ast.BoolOp() | ast.BinOp() | ast.AugAssign() if type(node.op) in SWAPS:
            kind = SWAPS[type(node.op)]
            told = f"{type(node.op).__name__} became {kind.__name__}"
            node.op = kind()  # type: ignore[assignment]
        case ast.Constant(value=bool()):
            told = f"{node.value} became {not node.value}"
            node.value = not node.value
        case ast.Constant(value=int()):
            told = f"{node.value} became {node.value + 1}"
            node.value += 1
        case ast.Name(id=name) if name in NAMES:
            told = f"{name} became {NAMES[name]}"
            node.id = NAMES[name]
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            told = f"{type(node.op).__name__} dropped"
            _replace(tree, node, node.operand)
        case ast.Expr(value=ast.Call()) | ast.Continue() | ast.Break() | ast.Raise():
            told = f"{type(node).__name__} dropped"
            _replace(tree, node, ast.Pass())
        case ast.If() | ast.IfExp():
            told = "condition made true"
            node.test = ast.Constant(value=True)
        case ast.Slice(lower=None, upper=ast.expr()):
            told = "slice made whole"
            node.upper = None
    return told


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(each is old for each in value):
                setattr(parent, name, [new if each is old else each for each in value])
