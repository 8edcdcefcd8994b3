"""An import-linter contract: no module imports itself, directly or through other modules.

Imports inside functions and imports for type checking count too. The contract `acyclic_siblings` of import-linter is
stricter: it forbids that two packages import each other, even if no module is in a cycle."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class AcyclicModules(Contract):
    """Forbids import cycles. The option `packages` lists the top-level packages to check."""

    packages = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        packages = cast("list[str]", self.packages)  # import-linter sets the field to the parsed list
        cycle = find_cycle(graph, tuple(packages))
        return ContractCheck(kept=not cycle, metadata={"cycle": cycle})

    def render_broken_contract(self, check: ContractCheck) -> None:
        output.print_error(" -> ".join(check.metadata["cycle"]))


def find_cycle(graph: ImportGraph, packages: tuple[str, ...]) -> list[str]:
    """The modules of one import cycle, with the first module repeated at the end; empty if there is no cycle.

    Importing a module does not count as an import of the `__init__` of its package."""
    modules = {name for name in graph.modules if name.split(".")[0] in packages}
    imports = {name: graph.find_modules_directly_imported_by(name) & modules for name in modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return [str(name) for name in reversed(error.args[1])]
    return []
