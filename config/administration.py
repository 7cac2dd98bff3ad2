"""Puts the staff's door before Django's admin."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    """`django.contrib.admin` with our site as its default one."""

    default_site = "wallets.signin.staff.StaffSite"
