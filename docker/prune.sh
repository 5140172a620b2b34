#!/bin/sh
# Deletes files that rayocr never loads from the site-packages folder $1. tests/unit/deploy/test_docker.py names those that must stay.
set -eu
cd "$1"
# Descriptions of Google's services: rayocr reads those of Drive and Pub/Sub.
find googleapiclient/discovery_cache/documents -name '*.json' ! -name drive.v3.json ! -name pubsub.v1.json -delete
rm -rf ray/jars ray/rllib cv2/data
find . -type d -name tests -prune -exec rm -rf {} +
find . -type d -name __pycache__ -prune -exec rm -rf {} +
