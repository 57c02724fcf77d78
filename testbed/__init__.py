"""Runs scenarios against real peers and proves that they agree: scripts, clusters, histories, checkers."""
