"""The categories that a fresh installation starts with; staff may change them in the admin."""

from django.db import migrations

CATEGORIES = [
    ("writing", "Writing", "Summaries, drafts, translation, tone."),
    ("data", "Data", "Tables, charts, cleaning, forecasts."),
    ("code", "Code", "Review, tests, migration, documentation of programs."),
    ("security", "Security", "Audits of contracts and configurations, known hazards."),
    ("research", "Research", "Literature, comparison, fact finding."),
    ("documents", "Documents", "Extraction, conversion, forms, contracts."),
    ("finance", "Finance", "Accounts, portfolios, on-chain analysis."),
    ("productivity", "Productivity", "Planning, mail, meetings, everyday chores."),
]


def add(apps, schema_editor):
    category = apps.get_model("marketplace", "Category")
    for position, (slug, name, description) in enumerate(CATEGORIES, start=1):
        category.objects.get_or_create(
            slug=slug, defaults={"name": name, "description": description, "position": position * 10}
        )


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0001_initial")]
    # Going back keeps the rows: agents may be filed under them, and the tables go with 0001 anyway.
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
