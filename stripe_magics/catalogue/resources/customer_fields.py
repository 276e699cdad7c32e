"""Fields that creating and updating a customer share."""

from __future__ import annotations

from stripe_magics.catalogue import declare as f
from stripe_magics.catalogue import field_groups as g
from stripe_magics.catalogue.field import Field

TAX_ID_TYPES = f.words(
    """ad_nrt ae_trn ar_cuit au_abn au_arn bg_uic bo_tin br_cnpj br_cpf ca_bn ca_gst_hst ca_pst_bc
    ca_pst_mb ca_pst_sk ca_qst ch_vat cl_tin cn_tin co_nit cr_tin do_rcn ec_ruc eg_tin es_cif eu_oss_vat
    eu_vat gb_vat ge_vat hk_br hu_tin id_npwp il_vat in_gst is_vat jp_cn jp_rn jp_trn ke_pin kr_brn li_uid
    mx_rfc my_frp my_itn my_sst no_vat nz_gst pe_ruc ph_tin ro_tin rs_pib ru_inn ru_kpp sa_vat sg_gst
    sg_uen si_tin sv_nit th_vat tr_tin tw_vat ua_vat us_ein uy_ruc ve_rif vn_tin za_vat"""
)

DISCOUNTS_SINCE = "on the invoice (invoices.create, invoices.update) or on the subscription"


def identity_fields() -> tuple[Field, ...]:
    """Who it is, and where."""
    return (
        f.long_text(
            "description",
            "Description",
            "Free note on the customer, seen in the Dashboard only.",
            max_length=5000,
        ),
        f.email(
            "email",
            "Email",
            "Address for invoices and receipts; up to 512 characters.",
            max_length=512,
            restored=True,
        ),
        f.text("name", "Name", "Person or business name; up to 256 characters.", max_length=256),
        f.phone("phone", "Phone", "Phone number; up to 20 characters.", max_length=20),
        *g.address("address", "address", "the customer", "Address", restored=True),
        *g.shipping(parcel=False),
    )


def money() -> tuple[Field, ...]:
    """What is owed or taken off."""
    return (
        f.minor_amount(
            "balance",
            "Balance",
            "Credit or debt carried to the next invoices, in minor units: negative lowers what is due,"
            " positive raises it.",
        ),
        f.object_id(
            "coupon",
            "Coupon ID",
            "Coupon for all later subscription charges; single payments made through the API are not"
            " discounted.",
            object="coupon",
            since_removed="2025-03-31.basil",
            replaced_by=f"discounts[][coupon] {DISCOUNTS_SINCE}",
        ),
        f.text(
            "invoice_prefix",
            "Invoice Prefix",
            "Start of this customer’s invoice numbers: 3 to 12 capital letters or digits, unique in the"
            " account.",
            max_length=12,
            pattern="^[A-Z0-9]{3,12}$",
        ),
    )


def invoice_settings() -> tuple[Field, ...]:
    """How the customer's invoices look and are paid."""
    of = {"group": "Invoice settings"}
    custom_fields = g.custom_fields(
        "invoice_custom_fields",
        "invoice_settings[custom_fields]",
        "Up to 4 name-value pairs printed on every invoice of the customer.",
        **of,
    )
    return (
        custom_fields.replace(
            columns=tuple(column.replace(restored=True) for column in custom_fields.columns)
        ),
        f.object_id(
            "default_payment_method",
            "Default Payment Method ID",
            "Payment method (pm_…), already attached, that pays invoices and subscriptions.",
            param="invoice_settings[default_payment_method]",
            object="payment_method",
            **of,
        ),
        f.long_text(
            "invoice_footer",
            "Footer",
            "Text at the foot of every invoice of the customer.",
            param="invoice_settings[footer]",
            max_length=5000,
            **of,
        ),
        f.integer(
            "next_invoice_sequence",
            "Next Invoice Sequence",
            "Running number of the next invoice.",
            minimum=1,
            default=1,
        ),
        f.text_list(
            "preferred_locales",
            "Preferred Locales",
            "Languages for mails and invoices, best first, as locale codes: de, en-GB, fr-CA.",
        ),
        f.object_id(
            "promotion_code",
            "Promotion Code ID",
            "Promotion code by its API ID (promo_…), not the text that customers type; discounts recurring"
            " charges only.",
            object="promotion_code",
            since_removed="2025-03-31.basil",
            replaced_by=f"discounts[][promotion_code] {DISCOUNTS_SINCE}",
        ),
        f.object_id(
            "source",
            "Source ID",
            "Token (tok_…) or source (src_…) to store as the default payment source; replaces the present"
            " default. Older than payment methods.",
            object="source",
        ),
        f.choice(
            "tax_exempt",
            "Tax Exempt",
            "none: taxed; exempt: no tax; reverse: reverse charge, with that note on the invoice.",
            choices=("none", "exempt", "reverse"),
        ),
    )


def rare_fields() -> tuple[Field, ...]:
    """What few need."""
    return (
        f.text(
            "tax_ip_address",
            "Tax IP Address",
            "Recent IPv4 or IPv6 address of the customer, from which Stripe Tax infers where they are.",
            param="tax[ip_address]",
        ),
        f.choice(
            "invoice_tax_display",
            "Invoice Tax Display",
            "Prices on invoice PDFs without tax (exclude_tax) or with the inclusive tax in them.",
            param="invoice_settings[rendering_options][amount_tax_display]",
            group="Invoice settings",
            choices=("exclude_tax", "include_inclusive_tax"),
        ),
        f.choice(
            "cash_balance_reconciliation",
            "Cash Balance Reconciliation",
            "Bank transfers: automatic matches incoming money to open payments, manual leaves that to you.",
            param="cash_balance[settings][reconciliation_mode]",
            choices=("automatic", "manual", "merchant_default"),
        ),
    )


PAYMENT_METHOD = f.object_id(
    "payment_method",
    "Payment Method ID",
    "Payment method (pm_…) to attach to the customer.",
    object="payment_method",
)
TAX_ID_DATA = f.rows(
    "tax_id_data",
    "TAX ID Data",
    "Tax numbers to store with the customer, one per row.",
    columns=(
        f.choice(
            "type",
            "Type",
            "Kind of number, e.g. eu_vat, gb_vat, us_ein.",
            choices=TAX_ID_TYPES,
            required=True,
        ),
        f.text("value", "Tax ID", "The number itself, e.g. DE123456789.", required=True),
    ),
)
