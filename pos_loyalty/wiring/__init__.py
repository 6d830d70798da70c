"""Builds a till, a daemon, a head office from the config. The only folder that names concrete classes."""

from __future__ import annotations

from pos_loyalty.wiring.files import Settings as Settings
from pos_loyalty.wiring.files import check_files as check_files
from pos_loyalty.wiring.files import made_folder as made_folder
from pos_loyalty.wiring.files import make_secrets as make_secrets
from pos_loyalty.wiring.files import products_of as products_of
from pos_loyalty.wiring.files import secrets_if_there as secrets_if_there
from pos_loyalty.wiring.files import secrets_of as secrets_of
from pos_loyalty.wiring.files import settings as settings
from pos_loyalty.wiring.files import till_store as till_store
from pos_loyalty.wiring.files import with_places as with_places
from pos_loyalty.wiring.offices import HEAD_OFFICE as HEAD_OFFICE
from pos_loyalty.wiring.offices import backup as backup
from pos_loyalty.wiring.offices import code_book as code_book
from pos_loyalty.wiring.offices import follow as follow
from pos_loyalty.wiring.offices import publish as publish
from pos_loyalty.wiring.offices import run_head_office as run_head_office
from pos_loyalty.wiring.offices import sync_once as sync_once
from pos_loyalty.wiring.offices import verify as verify
from pos_loyalty.wiring.receipts import Wanted as Wanted
from pos_loyalty.wiring.receipts import sample_bytes as sample_bytes
from pos_loyalty.wiring.receipts import sample_png as sample_png
from pos_loyalty.wiring.receipts import sample_text as sample_text
from pos_loyalty.wiring.till import Ready as Ready
from pos_loyalty.wiring.till import beside_till as beside_till
from pos_loyalty.wiring.till import nightly as nightly
from pos_loyalty.wiring.till import open_till as open_till
from pos_loyalty.wiring.till import print_self_test as print_self_test
from pos_loyalty.wiring.till import print_shift as print_shift
from pos_loyalty.wiring.till import programme_in_force as programme_in_force
from pos_loyalty.wiring.till import publish_here as publish_here
from pos_loyalty.wiring.till import run_till as run_till
from pos_loyalty.wiring.till import shift_text as shift_text
from pos_loyalty.wiring.till import stands_alone as stands_alone
from pos_loyalty.wiring.till import till_in_process as till_in_process
from pos_loyalty.wiring.till import till_to_look_at as till_to_look_at
