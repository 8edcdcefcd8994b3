"""An import-linter contract: base packages import no feature, and features do not import the composition root.

Every module or package directly in `package` is a feature, unless an option lists it. A new feature is therefore
checked without a change of the options. Indirect imports count too, and so do imports inside functions and for type
checking."""

from __future__ import annotations

from itertools import product
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class Features(Contract):
    """The option `package` is the checked package. Three more options list the modules in it that are not features.

    `base`: base packages; within `package` they import only each other. `root`: the composition root; features do not
    import it. `others`: modules that features may import."""

    package = fields.StringField()
    base = fields.ListField(subfield=fields.StringField())
    root = fields.ListField(subfield=fields.StringField())
    others = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        # import-linter sets the fields to the parsed values
        package = cast("str", self.package)
        base, root, others = (
            tuple(f"{package}.{name}" for name in cast("list[str]", option))
            for option in (self.base, self.root, self.others)
        )
        problems = find_problems(graph, package, base=base, root=root, others=others)
        return ContractCheck(kept=not problems, metadata={"problems": problems})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for problem in check.metadata["problems"]:
            output.print_error(problem)


def find_problems(
    graph: ImportGraph, package: str, *, base: tuple[str, ...], root: tuple[str, ...], others: tuple[str, ...]
) -> list[str]:
    """Describes each forbidden chain of imports, and each listed module that does not exist, in one line."""
    children = graph.find_children(package)
    listed = {*base, *root, *others}
    features = children - listed
    forbidden = [*product(base, children - set(base)), *product(features, root)]
    chains = {
        " -> ".join(chain)
        for importer, imported in forbidden
        if importer in children and imported in children
        for chain in graph.find_shortest_chains(importer=importer, imported=imported)
    }
    return [f"{name} does not exist" for name in sorted(listed - children)] + sorted(chains)
