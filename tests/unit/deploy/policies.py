"""Evaluates NetworkPolicies and selectors like Kubernetes, as far as the manifests use them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any


def chooses(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    if not all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for rule in selector.get("matchExpressions", []):
        among = labels.get(rule["key"]) in rule["values"]
        if among is not {"In": True, "NotIn": False}[rule["operator"]]:
            return False
    return True


def may_reach(
    documents: list[dict[str, Any]],
    labels: dict[str, str],
    port: int,
    *,
    pod: dict[str, str] | None = None,
    address: str | None = None,
    protocol: str = "TCP",
) -> bool:
    """Whether a pod with `labels` may open a connection to `pod` (its labels, in any namespace) or `address`."""
    policies = _policies(documents, labels, "Egress")
    if not policies:
        return True
    return any(
        _peer_is(rule, pod, address)
        and any(p["port"] == port and p.get("protocol", "TCP") == protocol for p in rule.get("ports", [{}]))
        for policy in policies
        for rule in policy.get("egress", [])
    )


def may_be_reached(documents: list[dict[str, Any]], labels: dict[str, str], port: int, *, pod: dict[str, str]) -> bool:
    """Whether a pod with `labels` accepts connections from `pod` (its labels, in any namespace)."""
    policies = _policies(documents, labels, "Ingress")
    if not policies:
        return True
    return any(
        _peer_is({"to": rule["from"]} if "from" in rule else {}, pod, None)
        and any(p.get("port", port) == port for p in rule.get("ports", [{}]))
        for policy in policies
        for rule in policy.get("ingress", [])
    )


def _peer_is(rule: dict[str, Any], pod: dict[str, str] | None, address: str | None) -> bool:
    if "to" not in rule:
        return True
    return any(
        (pod is not None and "podSelector" in peer and chooses(peer["podSelector"], pod))
        or (
            address is not None
            and "ipBlock" in peer
            and ipaddress.ip_address(address) in ipaddress.ip_network(peer["ipBlock"]["cidr"])
        )
        for peer in rule["to"]
    )


def named_config_maps(node: Any) -> Iterator[str]:
    """Every ConfigMap that a manifest names, in any field."""
    if isinstance(node, list):
        for item in node:
            yield from named_config_maps(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("configMapRef", "configMap", "configMapKeyRef") and isinstance(value, dict):
                yield value["name"]
            else:
                yield from named_config_maps(value)


def _policies(documents: list[dict[str, Any]], labels: dict[str, str], direction: str) -> list[dict[str, Any]]:
    """The specifications of the policies of this direction (Egress, Ingress) that choose a pod with `labels`."""
    return [
        document["spec"]
        for document in documents
        if document["kind"] == "NetworkPolicy"
        and direction in document["spec"]["policyTypes"]
        and chooses(document["spec"]["podSelector"], labels)
    ]
