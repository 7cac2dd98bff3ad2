"""How the administration looks."""

from django.templatetags.static import static

UNFOLD = {
    "SITE_TITLE": "AgentNexus",
    "SITE_HEADER": "AgentNexus",
    "SITE_ICON": lambda _request: static("site/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("site/mark.svg")}],
    "SHOW_HISTORY": True,
    "COLORS": {
        "primary": {
            "50": "oklch(97.9% .021 166)",
            "100": "oklch(95% .052 163)",
            "200": "oklch(90.5% .093 164)",
            "300": "oklch(84.5% .143 165)",
            "400": "oklch(76.5% .15 163)",
            "500": "oklch(64% .13 163)",
            "600": "oklch(50% .11 164)",
            "700": "oklch(45% .1 165)",
            "800": "oklch(39% .085 167)",
            "900": "oklch(34% .07 169)",
            "950": "oklch(26.2% .051 172)",
        }
    },
}
