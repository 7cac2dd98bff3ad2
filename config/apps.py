"""Registers the site-wide static files and management commands."""

from django.apps import AppConfig


class ConfigApp(AppConfig):
    name = "config"
    label = "site_config"
    verbose_name = "Site"
